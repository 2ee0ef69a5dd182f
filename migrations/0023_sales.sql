-- Why: the shop's books are Shopify's own sale rows where an order was edited, refunded, returned or cancelled, and derived from its
-- lines elsewhere: what an order says of its tax, shipping, tips and totals is kept, and what a refund gave back beside its lines.
-- Locks: brief ACCESS EXCLUSIVE on orders, order_lines and refunds (new columns without a rewrite), refetches and backfills (small
-- tables, read once against the new checks); SHARE on orders while an index of none of its rows is made; sales is new.
ALTER TABLE orders
    ADD taxes_included boolean,                        -- NULL: not told, as the shop has it
    ADD shipping numeric(18, 4), ADD shipping_tax numeric(18, 4), -- after its discounts, as its prices are told; NULL: not told
    ADD tip numeric(18, 4),                            -- tips that no line stands for
    ADD total_price numeric(18, 4), ADD current_total numeric(18, 4), -- what the order's newest news says of itself
    ADD original_total numeric(18, 4), ADD refund_discrepancy numeric(18, 4), -- as its ledger was read with
    ADD ledger_as_of timestamptz,                      -- the order's own stamp when its sales were read; NULL: they are derived
    ADD ledger_refunds bigint[],                       -- refunds that those sales speak of
    ADD is_edited boolean NOT NULL DEFAULT false,      -- lines were added or taken off since it was placed
    ADD ledger_wanted boolean NOT NULL DEFAULT false;  -- derived until Shopify's own sales are read
ALTER TABLE order_lines
    ADD tax_rate numeric(9, 6),                        -- of all its taxes together; NULL: not told
    ADD is_tip boolean NOT NULL DEFAULT false;
ALTER TABLE refunds                                    -- NULL: not told; all with the sign of a refund's adjustment
    ADD adjustment numeric(18, 4), ADD adjustment_tax numeric(18, 4), -- goodwill of 10 is -10; money kept, or still to come, is above 0
    ADD shipping numeric(18, 4), ADD shipping_tax numeric(18, 4);     -- given back
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX orders_ledger_wanted ON orders (shop_id, id) WHERE ledger_wanted;

-- Shopify's sale rows, in the shop's money. Written once: a row that comes back otherwise is told of and replaced.
CREATE TABLE sales (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL,                -- Shopify's
    order_id bigint NOT NULL, agreement_id bigint NOT NULL, refund_id bigint,
    happened_at timestamptz NOT NULL,
    happened_on date NOT NULL,         -- the shop's calendar day
    reason text NOT NULL, action text NOT NULL, line_type text NOT NULL,
    line_item_id bigint, variant_id bigint, product_id bigint, -- as the line's were then
    quantity integer,
    total numeric(18, 4) NOT NULL,     -- after discounts, with tax
    tax numeric(18, 4) NOT NULL,
    discount numeric(18, 4) NOT NULL,  -- before tax
    currency text NOT NULL,
    PRIMARY KEY (shop_id, id)
);
CREATE INDEX sales_order ON sales (shop_id, order_id);
CREATE INDEX sales_day ON sales (shop_id, happened_on);
ALTER TABLE sales SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON sales TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON sales TO keel_app;

-- What a nightly proof found: how many orders agree with Shopify's own totals, and which do not.
CREATE TABLE proofs (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    proved_at timestamptz,             -- NULL: not yet
    found jsonb,
    sales_changed integer NOT NULL DEFAULT 0 -- sale rows that came back otherwise, ever
);
ALTER TABLE proofs ENABLE ROW LEVEL SECURITY;
ALTER TABLE proofs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON proofs TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON proofs TO keel_app;

-- squawk-ignore ban-drop-constraint
ALTER TABLE refetches DROP CONSTRAINT refetches_kind_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE refetches ADD CONSTRAINT refetches_kind_check CHECK (kind IN ('order', 'product', 'inventory_item', 'location', 'shop', 'ledger'));
-- squawk-ignore ban-drop-constraint
ALTER TABLE backfills DROP CONSTRAINT backfills_step_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE backfills ADD CONSTRAINT backfills_step_check
    CHECK (step IN ('shop', 'products', 'inventory', 'orders', 'refunds', 'ledger', 'sales', 'decisions'));

-- Decimals of a currency's minor unit: the table of domain/currency.py (a test holds them together).
CREATE FUNCTION currency_digits(code text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'MRU', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN code = 'MGA' THEN 1
        WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        WHEN code IN ('CLF', 'UYW') THEN 4
        ELSE 2 END
$$;

-- The books of a shop, or of some of its orders: Shopify's sale rows of the orders whose ledger was read; of the others, and of
-- refunds that came since, the same rows derived from lines (docs/books.md says how). Test and deleted orders are in no book.
-- Each table is read once: whoever asks forbids nested loops (db.connection.no_nested_loops).
CREATE FUNCTION book_sales(of_shop bigint, of_orders bigint[])
RETURNS TABLE (order_id bigint, happened_on date, currency text, is_exact boolean, reason text, action text, line_type text,
               line_item_id bigint, variant_id bigint, product_id bigint, quantity integer, total numeric, tax numeric, discount numeric)
LANGUAGE sql STABLE AS $$
WITH shop AS (
    SELECT s.taxes_included, s.currency, s.timezone FROM shops s WHERE s.shop_id = of_shop
), held AS (
    SELECT o.id, o.processed_on, o.currency, currency_digits(o.currency) AS digits,
           NOT o.is_test AND o.deleted_at IS NULL AS counts, o.ledger_as_of IS NOT NULL AS is_exact, o.ledger_refunds,
           (o.cancelled_at AT TIME ZONE shop.timezone)::date AS cancelled_on,
           coalesce(o.taxes_included, shop.taxes_included) AS included,
           coalesce(o.shipping, 0) AS shipping, coalesce(o.shipping_tax, 0) AS shipping_tax, coalesce(o.tip, 0) AS tip
      FROM orders o, shop
     WHERE o.shop_id = of_shop AND (of_orders IS NULL OR o.id = ANY (of_orders))
), back AS ( -- refunds that no ledger speaks of; those of an order that Shopify does not show us, too
    SELECT r.id, r.order_id, r.processed_on, coalesce(h.currency, shop.currency) AS currency,
           coalesce(h.included, shop.taxes_included) AS included,
           coalesce(r.adjustment, 0) AS adjustment, coalesce(r.adjustment_tax, 0) AS adjustment_tax,
           coalesce(r.shipping, 0) AS shipping, coalesce(r.shipping_tax, 0) AS shipping_tax
      FROM refunds r CROSS JOIN shop LEFT JOIN held h ON h.id = r.order_id
     WHERE r.shop_id = of_shop AND (of_orders IS NULL OR r.order_id = ANY (of_orders))
       AND coalesce(h.counts, true) AND NOT coalesce(r.id = ANY (h.ledger_refunds), false)
), back_line AS (
    SELECT b.id AS refund_id, b.order_id, b.processed_on, b.currency, b.included, rl.order_line_id, rl.quantity, rl.subtotal, rl.tax
      FROM refund_lines rl JOIN back b ON b.id = rl.refund_id
     WHERE rl.shop_id = of_shop
       AND (of_orders IS NULL OR rl.refund_id = ANY (ARRAY(
           SELECT r.id FROM refunds r WHERE r.shop_id = of_shop AND r.order_id = ANY (of_orders))))
), units_back AS (
    SELECT bl.order_id, bl.order_line_id, sum(bl.quantity) AS units FROM back_line bl GROUP BY bl.order_id, bl.order_line_id
), line AS ( -- a line as it was ordered: paid with tax, its tax, its discount before tax; how much of it was sold, how much came back
    SELECT l.order_id, l.id, l.product_id, l.variant_id, l.quantity, h.is_exact, h.processed_on, h.cancelled_on, h.currency, h.digits,
           CASE WHEN l.is_gift_card THEN 'GIFT_CARD' WHEN l.is_tip THEN 'TIP' ELSE 'PRODUCT' END AS line_type,
           p.paid + CASE WHEN h.included THEN 0 ELSE l.tax END AS total, l.tax,
           CASE WHEN NOT h.included OR l.discount = 0 THEN l.discount
                WHEN l.tax_rate IS NOT NULL AND (l.tax <> 0 OR round(p.paid * l.tax_rate / (1 + l.tax_rate), h.digits) = 0)
                    THEN round(l.discount / (1 + l.tax_rate), h.digits)
                WHEN l.tax = 0 OR p.paid = 0 THEN l.discount
                ELSE round(l.discount * (p.paid - l.tax) / p.paid, h.digits) END AS discount,
           CASE WHEN h.cancelled_on IS NOT NULL THEN l.quantity
                ELSE least(l.quantity, l.current_quantity + coalesce(u.units, 0)) END AS sold, coalesce(u.units, 0) AS units_back
      FROM order_lines l JOIN held h ON h.id = l.order_id
      LEFT JOIN units_back u ON u.order_id = l.order_id AND u.order_line_id = l.id
     CROSS JOIN LATERAL (SELECT l.unit_price * l.quantity - l.discount AS paid) p
     WHERE l.shop_id = of_shop AND h.counts AND (of_orders IS NULL OR l.order_id = ANY (of_orders))
), given_back AS (
    SELECT b.order_id, sum(b.shipping) AS shipping, sum(b.shipping_tax) AS shipping_tax FROM back b GROUP BY b.order_id
)
SELECT s.order_id, s.happened_on, s.currency, true, s.reason, s.action, s.line_type, s.line_item_id, s.variant_id, s.product_id,
       s.quantity, s.total, s.tax, s.discount
  FROM sales s JOIN held h ON h.id = s.order_id
 WHERE s.shop_id = of_shop AND h.counts AND (of_orders IS NULL OR s.order_id = ANY (of_orders))
UNION ALL -- goods, gift cards and tips ordered
SELECT l.order_id, l.processed_on, l.currency, false, 'ORDER', 'ORDER', l.line_type, l.id, l.variant_id, l.product_id, l.sold::integer,
       CASE WHEN l.sold = l.quantity THEN l.total ELSE round(l.total * l.sold / l.quantity, l.digits) END,
       CASE WHEN l.sold = l.quantity THEN l.tax ELSE round(l.tax * l.sold / l.quantity, l.digits) END,
       CASE WHEN l.sold = l.quantity THEN l.discount ELSE round(l.discount * l.sold / l.quantity, l.digits) END
  FROM line l
 WHERE NOT l.is_exact AND l.sold > 0
UNION ALL -- shipping, and tips of no line
SELECT h.id, h.processed_on, h.currency, false, 'ORDER', 'ORDER', t.line_type, NULL, NULL, NULL, NULL, t.total, t.tax, 0
  FROM held h
 CROSS JOIN LATERAL (VALUES ('SHIPPING', h.shipping + CASE WHEN h.included THEN 0 ELSE h.shipping_tax END, h.shipping_tax),
                            ('TIP', h.tip, 0)) AS t (line_type, total, tax)
 WHERE h.counts AND NOT h.is_exact AND t.total <> 0
UNION ALL -- lines refunded, with their share of the discount
SELECT bl.order_id, bl.processed_on, bl.currency, false, 'REFUND', 'RETURN', coalesce(l.line_type, 'PRODUCT'), bl.order_line_id,
       l.variant_id, l.product_id, -bl.quantity, -(bl.subtotal + CASE WHEN bl.included THEN 0 ELSE bl.tax END), -bl.tax,
       coalesce(-round(l.discount * bl.quantity / nullif(l.quantity, 0), l.digits), 0)
  FROM back_line bl LEFT JOIN line l ON l.order_id = bl.order_id AND l.id = bl.order_line_id
UNION ALL -- money given back, kept or still to come beside the lines
SELECT b.order_id, b.processed_on, b.currency, false, 'REFUND', 'RETURN', t.line_type, NULL, NULL, NULL, NULL, t.total, t.tax, 0
  FROM back b
 CROSS JOIN LATERAL (VALUES ('ADJUSTMENT', b.adjustment + b.adjustment_tax, b.adjustment_tax),
                            ('SHIPPING', -(b.shipping + CASE WHEN b.included THEN 0 ELSE b.shipping_tax END), -b.shipping_tax))
                    AS t (line_type, total, tax)
 WHERE t.total <> 0 OR t.tax <> 0
UNION ALL -- what a cancelled order did not give back by refunds is taken back on the day it was cancelled
SELECT l.order_id, l.cancelled_on, l.currency, false, 'ORDER', 'RETURN', l.line_type, l.id, l.variant_id, l.product_id,
       (l.units_back - l.quantity)::integer,
       CASE WHEN l.units_back = 0 THEN -l.total ELSE -round(l.total * (l.quantity - l.units_back) / l.quantity, l.digits) END,
       CASE WHEN l.units_back = 0 THEN -l.tax ELSE -round(l.tax * (l.quantity - l.units_back) / l.quantity, l.digits) END,
       CASE WHEN l.units_back = 0 THEN -l.discount ELSE -round(l.discount * (l.quantity - l.units_back) / l.quantity, l.digits) END
  FROM line l
 WHERE NOT l.is_exact AND l.cancelled_on IS NOT NULL AND l.quantity > l.units_back
UNION ALL
SELECT h.id, h.cancelled_on, h.currency, false, 'ORDER', 'RETURN', t.line_type, NULL, NULL, NULL, NULL, -t.total, -t.tax, 0
  FROM held h LEFT JOIN given_back g ON g.order_id = h.id
 CROSS JOIN LATERAL (SELECT h.shipping - coalesce(g.shipping, 0) AS shipping, h.shipping_tax - coalesce(g.shipping_tax, 0) AS tax) r
 CROSS JOIN LATERAL (VALUES ('SHIPPING', r.shipping + CASE WHEN h.included THEN 0 ELSE r.tax END, r.tax),
                            ('TIP', h.tip, 0)) AS t (line_type, total, tax)
 WHERE h.counts AND NOT h.is_exact AND h.cancelled_on IS NOT NULL AND t.total <> 0
$$;
