-- The planner must learn of a shop whose history has just come in. By default a table is analysed once a tenth of it has
-- changed, which one shop among many never is: after so many rows it is, however large the table.
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['products', 'variants', 'inventory_items', 'inventory_levels', 'inventory_history', 'price_history',
                             'orders', 'order_lines', 'refunds', 'refund_lines', 'daily_sales'] LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000)', t);
    END LOOP;
END $$;
