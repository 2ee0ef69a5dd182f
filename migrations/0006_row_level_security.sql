-- Why: the last guard between shops. Queries name their shop too; this is the net, not the rope.
-- Locks: brief ACCESS EXCLUSIVE on empty tables.
DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
              WHERE c.table_schema = 'public' AND c.column_name = 'shop_id' AND table_type = 'BASE TABLE'
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;

-- The sweeper finds work across shops; it may see shops, claims and due times, and no shop's facts.
CREATE POLICY every_shop ON shops TO keel_sweeper USING (true) WITH CHECK (true);
CREATE POLICY due_work ON price_changes FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON backfills FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON refetches FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON touched_days FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON refresh_requests FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON offline_tokens FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY due_work ON sync_cursors FOR SELECT TO keel_sweeper USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON shops TO keel_sweeper;
GRANT SELECT (shop_id, id, state, next_at, lease_until, install_epoch) ON price_changes TO keel_sweeper;
GRANT SELECT ON backfills, refetches, touched_days, refresh_requests, sync_cursors TO keel_sweeper;
GRANT SELECT (shop_id, expires_at, refresh_expires_at, refreshed_at) ON offline_tokens TO keel_sweeper;

ALTER TABLE webhook_inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON webhook_inbox TO keel_app
    USING (shop_domain = (SELECT s.domain FROM shops s WHERE s.shop_id = current_shop_id()));
CREATE POLICY arrivals ON webhook_inbox FOR INSERT TO keel_ingest WITH CHECK (true);
CREATE POLICY all_arrivals ON webhook_inbox TO keel_sweeper USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON webhook_inbox TO keel_app;
GRANT INSERT ON webhook_inbox TO keel_ingest;
GRANT SELECT (webhook_id) ON webhook_inbox TO keel_ingest; -- ON CONFLICT looks at its key
CREATE POLICY own_key ON webhook_inbox FOR SELECT TO keel_ingest USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_inbox, redactions, schedules TO keel_sweeper;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO keel_app, keel_ingest, keel_sweeper;
