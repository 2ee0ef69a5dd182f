-- Why: of a table that was never analysed the planner takes any index that begins with the shop. While a first history
-- came in, each line then looked for its order among all the orders before it, and so did every other reference.
-- Locks: none; what the function runs locks a table against schema changes and other ANALYZE, and skips one that is locked.
CREATE FUNCTION know_sizes() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE t text;
BEGIN
    FOR t IN SELECT relname FROM pg_class
              WHERE relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
                AND reltuples < 10000 -- a larger one is known well enough, and autovacuum looks after it
                AND relname IN ('products', 'variants', 'inventory_items', 'inventory_levels', 'inventory_history',
                                'price_history', 'orders', 'order_lines', 'refunds', 'refund_lines', 'sales', 'daily_sales')
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) %I', t);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION know_sizes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION know_sizes() TO keel_sweeper;
