-- Why: what Shopify does not show is not deleted. A refund may come before its order, or without it (older than 60 days): it is
-- kept and counts once the order is here. Two versions under one stamp are asked about for locations and the shop too; the shop's
-- facts have a stamp, so that an older shop/update does not win.
-- Locks: brief ACCESS EXCLUSIVE on shops (new column without a rewrite), refetches and refunds (rows read once against the new checks).
ALTER TABLE shops ADD COLUMN facts_updated_at timestamptz;
ALTER TABLE refetches DROP CONSTRAINT refetches_kind_check;
ALTER TABLE refetches ADD CONSTRAINT refetches_kind_check CHECK (kind IN ('order', 'product', 'inventory_item', 'location', 'shop'));
ALTER TABLE refunds DROP CONSTRAINT refunds_shop_id_order_id_fkey;
ALTER TABLE refunds ADD CONSTRAINT refunds_shop_id_fkey FOREIGN KEY (shop_id) REFERENCES shops ON DELETE CASCADE;
