-- Why: four tables said when something is to be done (requests for suggestions, look-backs, a ledger's next look, periodic jobs),
-- each with a lease or none, each with a back-off or none. One does, and one word says when: due_at, here and in the queues.
-- Locks: brief ACCESS EXCLUSIVE on each table named below; no table is rewritten, and those copied hold at most a few rows a shop.
-- The pump and the workers of before do not know the new names: stop them before, start the new ones after.
CREATE TABLE due_work (
    shop_id bigint REFERENCES shops ON DELETE CASCADE,       -- NULL: the service's own work, of no shop
    what text NOT NULL CHECK (what ~ '^[a-z_]+$'),           -- the names are the registry's (usecases/doorbells.py)
    due_at timestamptz NOT NULL, lease_until timestamptz,
    asked_at timestamptz NOT NULL DEFAULT now(),             -- when last: what is asked meanwhile outlives the work under way
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- that failed, since it last went well
    failing_since timestamptz, failed_at timestamptz, error_type text,
    next_try_at timestamptz,                                 -- not before, however often it is asked for
    CONSTRAINT due_work_key UNIQUE NULLS NOT DISTINCT (shop_id, what),
    CONSTRAINT due_work_failure_check CHECK (
        (attempts = 0) = (failing_since IS NULL) AND (attempts = 0) = (failed_at IS NULL) AND (attempts = 0) = (error_type IS NULL))
);
CREATE INDEX due_work_due ON due_work (what, due_at);

-- Whoever migrates owns the tables and may be no superuser: what is forced on the owner too would hide every row.
ALTER TABLE refresh_requests NO FORCE ROW LEVEL SECURITY;
ALTER TABLE look_backs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ledgers NO FORCE ROW LEVEL SECURITY;
INSERT INTO due_work (shop_id, what, due_at, lease_until, asked_at, attempts, failing_since, failed_at, error_type, next_try_at)
SELECT shop_id, 'suggestions', due_at, lease_until, asked_at, attempts, failing_since, failed_at, error_type, next_try_at FROM refresh_requests;
INSERT INTO due_work (shop_id, what, due_at, lease_until) SELECT shop_id, what, due_at, lease_until FROM look_backs;
INSERT INTO due_work (shop_id, what, due_at, lease_until) SELECT shop_id, 'ledger', due_at, lease_until FROM ledgers;
INSERT INTO due_work (shop_id, what, due_at) SELECT NULL, name, next_at FROM schedules;
ALTER TABLE ledgers FORCE ROW LEVEL SECURITY;
ALTER TABLE ledgers DROP COLUMN due_at, DROP COLUMN lease_until;
DROP TABLE refresh_requests, look_backs, schedules;

ALTER TABLE due_work ENABLE ROW LEVEL SECURITY;
ALTER TABLE due_work FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON due_work TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
CREATE POLICY due_work ON due_work FOR SELECT TO keel_sweeper USING (true);
CREATE POLICY own_work ON due_work TO keel_sweeper USING (shop_id IS NULL) WITH CHECK (shop_id IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON due_work TO keel_app;
GRANT SELECT, INSERT, UPDATE ON due_work TO keel_sweeper;

ALTER TABLE webhook_inbox RENAME next_at TO due_at;
ALTER TABLE price_changes RENAME next_at TO due_at;
ALTER TABLE price_tests RENAME next_at TO due_at;
ALTER TABLE backfills RENAME next_at TO due_at;
ALTER TABLE refetches RENAME next_at TO due_at;
