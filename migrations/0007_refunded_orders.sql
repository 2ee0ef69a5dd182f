-- Why: refund lines cannot be had in bulk; these orders wait to be asked for, fifteen at a time.
-- Locks: none, new table.
CREATE TABLE refunded_orders (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    order_id bigint NOT NULL,
    PRIMARY KEY (shop_id, order_id)
);
ALTER TABLE refunded_orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunded_orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON refunded_orders TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON refunded_orders TO keel_app;
