-- Why: news of what was deleted, of a cost and of a closed location can be lost, and no look at what changed lately finds it. Once a week
-- everything is counted; the count under way has a row here, its outcome stands with the other comparisons. Whether an
-- item is shipped is kept where Shopify tells it.
-- Locks: brief ACCESS EXCLUSIVE on shops, reconciliations and inventory_items (new columns without a rewrite); SHARE on reconciliations while its
-- index is made (some hundred rows a shop and day).
ALTER TABLE reconciliations
    ADD COLUMN buried_rows integer NOT NULL DEFAULT 0, -- of which Shopify's full list knows nothing any more
    ADD COLUMN left_rows integer NOT NULL DEFAULT 0;   -- differences that could not be mended
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX reconciliations_of_kind ON reconciliations (shop_id, kind, id);
ALTER TABLE shops ADD COLUMN scopes_changed_at timestamptz; -- NULL: as they were at the install
ALTER TABLE inventory_items ADD COLUMN requires_shipping boolean; -- NULL: never told

CREATE TABLE full_counts (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    install_epoch integer NOT NULL,
    step text NOT NULL CHECK (step IN ('products', 'inventory', 'orders')),
    bulk_operation_id bigint,                     -- of the step; NULL: to be started
    checked_rows integer NOT NULL DEFAULT 0, healed_rows integer NOT NULL DEFAULT 0, buried_rows integer NOT NULL DEFAULT 0,
    left_rows integer NOT NULL DEFAULT 0
);
ALTER TABLE full_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE full_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON full_counts TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON full_counts TO keel_app;

-- What Shopify's own report says beside what we say, of the last days; a row a shop, where the scope for it is granted.
CREATE TABLE sales_reports (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    compared_at timestamptz NOT NULL, first_on date NOT NULL, last_on date NOT NULL, currency text NOT NULL,
    our_net numeric(18,4) NOT NULL, their_net numeric(18,4) NOT NULL,
    days_apart integer NOT NULL -- days on which the two differ, also where the sums do not
);
ALTER TABLE sales_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON sales_reports TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON sales_reports TO keel_app;
