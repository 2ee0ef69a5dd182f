-- Why: a line that came to an order later stands on the day on which it came, also where Shopify shows us the order no more and
-- its ledger is older than the line; a cancelled order comes to nothing to the cent; days of absurd quantities can be counted.
-- Locks: ACCESS EXCLUSIVE on order_lines (a new column without a rewrite), and on daily_sales (a row a variant and day) and
-- issued_ranges (a row a variant and week) while they are rewritten.
-- squawk-ignore-file changing-column-type
ALTER TABLE order_lines ADD added_at timestamptz; -- the order's stamp when the line was first seen, if it came after the order; NULL: with it

ALTER TABLE daily_sales
    ALTER ordered_units TYPE bigint, ALTER returned_units TYPE bigint,
    ALTER revenue TYPE numeric, ALTER list_revenue TYPE numeric;
ALTER TABLE issued_ranges ALTER actual TYPE bigint;

CREATE OR REPLACE FUNCTION book_sales(of_shop bigint, of_orders bigint[])
RETURNS TABLE (order_id bigint, happened_on date, currency text, is_exact boolean, reason text, action text, line_type text,
               line_item_id bigint, variant_id bigint, product_id bigint, quantity integer, total numeric, tax numeric, discount numeric)
LANGUAGE sql STABLE AS $$
WITH shop AS (
    SELECT s.taxes_included, s.currency, s.timezone FROM shops s WHERE s.shop_id = of_shop
), held AS (
    SELECT o.id, o.processed_on, o.currency, currency_digits(o.currency) AS digits,
           NOT o.is_test AND o.deleted_at IS NULL AS counts, o.ledger_as_of IS NOT NULL AS is_exact, o.ledger_as_of, o.ledger_refunds,
           (o.cancelled_at AT TIME ZONE shop.timezone)::date AS cancelled_on, coalesce(o.cancelled_at > o.ledger_as_of, false) AS is_cancelled_since,
           shop.timezone,
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
    SELECT bl.order_id, bl.order_line_id, sum(bl.quantity) AS units, sum(bl.tax) AS tax,
           sum(bl.subtotal + CASE WHEN bl.included THEN 0 ELSE bl.tax END) AS total
      FROM back_line bl GROUP BY bl.order_id, bl.order_line_id
), line AS ( -- a line as it was ordered: paid with tax, its tax, its discount before tax; how much of it was sold, how much came back
    SELECT l.order_id, l.id, l.product_id, l.variant_id, l.quantity, e.is_exact, l.added_at IS NOT NULL AS is_added,
           coalesce((l.added_at AT TIME ZONE h.timezone)::date, h.processed_on) AS ordered_on, h.cancelled_on, h.currency, h.digits,
           CASE WHEN l.is_gift_card THEN 'GIFT_CARD' WHEN l.is_tip THEN 'TIP' ELSE 'PRODUCT' END AS line_type,
           p.paid + CASE WHEN h.included THEN 0 ELSE l.tax END AS total, l.tax,
           CASE WHEN NOT h.included OR l.discount = 0 THEN l.discount
                WHEN l.tax_rate IS NOT NULL AND (l.tax <> 0 OR round(p.paid * l.tax_rate / (1 + l.tax_rate), h.digits) = 0)
                    THEN round(l.discount / (1 + l.tax_rate), h.digits)
                WHEN l.tax = 0 OR p.paid = 0 THEN l.discount
                ELSE round(l.discount * (p.paid - l.tax) / p.paid, h.digits) END AS discount,
           CASE WHEN h.cancelled_on IS NOT NULL THEN l.quantity
                ELSE least(l.quantity, l.current_quantity + coalesce(u.units, 0)) END AS sold, coalesce(u.units, 0) AS units_back,
           coalesce(u.total, 0) AS total_back, coalesce(u.tax, 0) AS tax_back
      FROM order_lines l JOIN held h ON h.id = l.order_id
      LEFT JOIN units_back u ON u.order_id = l.order_id AND u.order_line_id = l.id
     CROSS JOIN LATERAL (SELECT l.unit_price * l.quantity - l.discount AS paid) p
     CROSS JOIN LATERAL (SELECT h.is_exact AND NOT (coalesce(l.added_at > h.ledger_as_of, false) AND NOT EXISTS (
                             SELECT FROM sales s WHERE s.shop_id = of_shop AND s.order_id = l.order_id AND s.line_item_id = l.id)) AS is_exact) e
     WHERE l.shop_id = of_shop AND h.counts AND (of_orders IS NULL OR l.order_id = ANY (of_orders))
), given_back AS (
    SELECT b.order_id, sum(b.shipping) AS shipping, sum(b.shipping_tax) AS shipping_tax FROM back b GROUP BY b.order_id
)
SELECT s.order_id, s.happened_on, s.currency, true, s.reason, s.action, s.line_type, s.line_item_id, s.variant_id, s.product_id,
       s.quantity, s.total, s.tax, s.discount
  FROM sales s JOIN held h ON h.id = s.order_id
 WHERE s.shop_id = of_shop AND h.counts AND (of_orders IS NULL OR s.order_id = ANY (of_orders))
UNION ALL -- goods, gift cards and tips ordered
SELECT l.order_id, l.ordered_on, l.currency, false, CASE WHEN l.is_added THEN 'ORDER_EDIT' ELSE 'ORDER' END, 'ORDER', l.line_type, l.id, l.variant_id, l.product_id, l.sold::integer,
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
       l.total_back - l.total, l.tax_back - l.tax, round(l.discount * l.units_back / l.quantity, l.digits) - l.discount
  FROM line l
 WHERE NOT l.is_exact AND l.cancelled_on IS NOT NULL AND l.quantity > l.units_back
UNION ALL
SELECT h.id, h.cancelled_on, h.currency, false, 'ORDER', 'RETURN', t.line_type, NULL, NULL, NULL, NULL, -t.total, -t.tax, 0
  FROM held h LEFT JOIN given_back g ON g.order_id = h.id
 CROSS JOIN LATERAL (SELECT h.shipping - coalesce(g.shipping, 0) AS shipping, h.shipping_tax - coalesce(g.shipping_tax, 0) AS tax) r
 CROSS JOIN LATERAL (VALUES ('SHIPPING', r.shipping + CASE WHEN h.included THEN 0 ELSE r.tax END, r.tax),
                            ('TIP', h.tip, 0)) AS t (line_type, total, tax)
 WHERE h.counts AND NOT h.is_exact AND h.cancelled_on IS NOT NULL AND t.total <> 0
UNION ALL -- cancelled since its ledger was read, and no refund speaks of it: all that the ledger holds is taken back
SELECT s.order_id, min(h.cancelled_on), s.currency, false, 'ORDER', 'RETURN', s.line_type, s.line_item_id, min(s.variant_id),
       min(s.product_id), -sum(s.quantity)::integer, -sum(s.total), -sum(s.tax), -sum(s.discount)
  FROM sales s JOIN held h ON h.id = s.order_id
 WHERE s.shop_id = of_shop AND h.counts AND h.is_cancelled_since AND (of_orders IS NULL OR s.order_id = ANY (of_orders))
   AND NOT EXISTS (SELECT FROM back b WHERE b.order_id = s.order_id)
 GROUP BY s.order_id, s.currency, s.line_type, s.line_item_id
HAVING sum(s.total) <> 0
$$;
