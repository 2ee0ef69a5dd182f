-- The planner must know a shop whose history has just come in: autovacuum looks only once a tenth of a whole table has
-- changed, which one shop among many never is. Only a table's owner may ANALYZE, and the app's role owns none.
CREATE FUNCTION analyze_histories() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    ANALYZE public.products, public.variants, public.inventory_items, public.inventory_levels, public.inventory_history,
            public.orders, public.order_lines, public.refunds, public.refund_lines, public.daily_sales;
END $$;
REVOKE EXECUTE ON FUNCTION analyze_histories() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_histories() TO keel_app;
