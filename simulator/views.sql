-- The whole sales ledger: what acts wrote, and what the orders say that nobody has acted on (orders.has_sales = 0).
-- Such an order's sales are its lines, at its own time; its refunds' are theirs. Ids: the line's, the refunded line's; the agreement's is the
-- order's or the refund's. c.scale is the number of smallest units in one of the currency.
DROP VIEW IF EXISTS every_agreement;
CREATE VIEW every_agreement AS
SELECT shop, order_id, id, happened_at, kind, reason, refund_id, return_id FROM agreement
UNION ALL
SELECT o.shop, o.id, o.id, o.processed_at, 'OrderAgreement', 'ORDER', NULL, NULL FROM orders o WHERE o.has_sales = 0
UNION ALL
SELECT r.shop, r.order_id, r.id, r.processed_at, 'RefundAgreement', 'REFUND', r.id, NULL
FROM orders o CROSS JOIN refunds r INDEXED BY refunds_order ON r.shop = o.shop AND r.order_id = o.id WHERE o.has_sales = 0;
DROP VIEW IF EXISTS every_sale;
CREATE VIEW every_sale AS
SELECT shop, order_id, agreement_id, id, happened_at, reason, action, line_type, line_item_id, product_id, variant_id, charge_id, quantity,
  total, tax, discount_before_tax, discount_after_tax, taxes, note
FROM sale
UNION ALL
SELECT l.shop, l.order_id, l.order_id, l.id, o.processed_at, 'ORDER', 'ORDER', CASE WHEN l.gift_card THEN 'GIFT_CARD' ELSE 'PRODUCT' END,
  l.id, l.product_id, l.variant_id, NULL, l.quantity,
  CAST(round((l.price * l.quantity - l.discount + iif(s.taxes_included, 0, l.tax)) * coalesce(c.scale, 100.0)) AS INTEGER),
  CAST(round(l.tax * coalesce(c.scale, 100.0)) AS INTEGER),
  CASE WHEN l.discount + 0 = 0 THEN 0 WHEN s.taxes_included AND l.price * l.quantity > l.discount + 0
    THEN CAST(round(l.discount * coalesce(c.scale, 100.0) * (1 - l.tax / (l.price * l.quantity - l.discount))) AS INTEGER)
    ELSE CAST(round(l.discount * coalesce(c.scale, 100.0)) AS INTEGER) END,
  iif(l.discount + 0 = 0, 0, CAST(round(l.discount * coalesce(c.scale, 100.0)) AS INTEGER)), NULL, NULL
FROM orders o JOIN shops s ON s.domain = o.shop LEFT JOIN currencies c ON c.code = o.currency
  CROSS JOIN order_lines l ON l.shop = o.shop AND l.order_id = o.id WHERE o.has_sales = 0
UNION ALL
SELECT r.shop, r.order_id, r.id, x.id, r.processed_at, 'REFUND', 'RETURN', CASE WHEN l.gift_card THEN 'GIFT_CARD' ELSE 'PRODUCT' END,
  l.id, l.product_id, l.variant_id, NULL, -x.quantity,
  -CAST(round((x.subtotal + iif(s.taxes_included, 0, x.tax)) * coalesce(c.scale, 100.0)) AS INTEGER),
  -CAST(round(x.tax * coalesce(c.scale, 100.0)) AS INTEGER),
  CASE WHEN l.discount + 0 = 0 THEN 0 WHEN s.taxes_included AND l.price * l.quantity > l.discount + 0
    THEN -CAST(round(l.discount * coalesce(c.scale, 100.0) * (1 - l.tax / (l.price * l.quantity - l.discount)) * x.quantity / l.quantity) AS INTEGER)
    ELSE -CAST(round(l.discount * coalesce(c.scale, 100.0) * x.quantity / l.quantity) AS INTEGER) END,
  -CAST(round(l.discount * coalesce(c.scale, 100.0) * x.quantity / l.quantity) AS INTEGER), NULL, NULL
FROM orders o JOIN shops s ON s.domain = o.shop LEFT JOIN currencies c ON c.code = o.currency
  CROSS JOIN refunds r INDEXED BY refunds_order ON r.shop = o.shop AND r.order_id = o.id CROSS JOIN refund_lines x ON x.shop = r.shop AND x.refund_id = r.id
  JOIN order_lines l ON l.shop = r.shop AND l.order_id = r.order_id AND l.id = x.line_item_id WHERE o.has_sales = 0;
