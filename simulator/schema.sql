-- The simulated shops' own database (SQLite, WAL). Money is TEXT (Decimal), times are TEXT (ISO 8601, UTC, Z).
CREATE TABLE IF NOT EXISTS shops (
  domain TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL, seed INTEGER NOT NULL,
  currency TEXT NOT NULL, timezone TEXT NOT NULL, taxes_included INTEGER NOT NULL, country TEXT NOT NULL DEFAULT 'GB',
  plan TEXT NOT NULL DEFAULT 'Basic', email TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  now_at TEXT NOT NULL,                      -- this shop's clock
  installed_at TEXT, granted_scopes TEXT NOT NULL DEFAULT '', install_count INTEGER NOT NULL DEFAULT 0,
  access_blocked INTEGER NOT NULL DEFAULT 0, -- HTTP status the Admin API answers with (402, 423 ...), 0 = none
  next_id INTEGER NOT NULL                   -- ids are drawn from here, > 2^31
);
CREATE TABLE IF NOT EXISTS products (
  shop TEXT NOT NULL, id INTEGER NOT NULL, title TEXT NOT NULL, handle TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'ACTIVE',
  vendor TEXT, product_type TEXT, tags TEXT NOT NULL DEFAULT '', is_gift_card INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, published_at TEXT, deleted_at TEXT, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS variants (
  shop TEXT NOT NULL, id INTEGER NOT NULL, product_id INTEGER NOT NULL, inventory_item_id INTEGER NOT NULL, title TEXT NOT NULL,
  sku TEXT, position INTEGER NOT NULL, price TEXT NOT NULL, compare_at_price TEXT, taxable INTEGER NOT NULL DEFAULT 1,
  inventory_policy TEXT NOT NULL DEFAULT 'DENY', created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted_at TEXT, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS variants_product ON variants (shop, product_id);
CREATE INDEX IF NOT EXISTS variants_item ON variants (shop, inventory_item_id);
CREATE TABLE IF NOT EXISTS inventory_items (
  shop TEXT NOT NULL, id INTEGER NOT NULL, sku TEXT, tracked INTEGER NOT NULL DEFAULT 1, requires_shipping INTEGER NOT NULL DEFAULT 1,
  unit_cost TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS locations (
  shop TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, is_active INTEGER NOT NULL DEFAULT 1, fulfills_online_orders INTEGER NOT NULL DEFAULT 1,
  country TEXT NOT NULL DEFAULT 'GB', created_at TEXT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inventory_levels (
  shop TEXT NOT NULL, id INTEGER NOT NULL, inventory_item_id INTEGER NOT NULL, location_id INTEGER NOT NULL, available INTEGER NOT NULL,
  committed INTEGER NOT NULL DEFAULT 0, incoming INTEGER NOT NULL DEFAULT 0, is_active INTEGER NOT NULL DEFAULT 1, updated_at TEXT NOT NULL,
  PRIMARY KEY (shop, inventory_item_id, location_id)) WITHOUT ROWID;  -- on_hand = available + committed
CREATE TABLE IF NOT EXISTS orders (
  shop TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL, processed_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  cancelled_at TEXT, cancel_reason TEXT, closed_at TEXT, test INTEGER NOT NULL DEFAULT 0, edited INTEGER NOT NULL DEFAULT 0, source_name TEXT NOT NULL DEFAULT 'web',
  currency TEXT NOT NULL, financial_status TEXT NOT NULL, fulfillment_status TEXT, tags TEXT NOT NULL DEFAULT '',
  customer_id INTEGER, customer_email TEXT,   -- personal data the app must never receive
  deleted_at TEXT, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_updated ON orders (shop, updated_at, id);
CREATE INDEX IF NOT EXISTS orders_processed ON orders (shop, processed_at);
CREATE TABLE IF NOT EXISTS order_lines (
  shop TEXT NOT NULL, order_id INTEGER NOT NULL, id INTEGER NOT NULL, product_id INTEGER, variant_id INTEGER, sku TEXT, title TEXT NOT NULL, variant_title TEXT,
  vendor TEXT, quantity INTEGER NOT NULL, current_quantity INTEGER NOT NULL, price TEXT NOT NULL, discount TEXT NOT NULL DEFAULT '0.00',
  tax TEXT NOT NULL DEFAULT '0.00', gift_card INTEGER NOT NULL DEFAULT 0, requires_shipping INTEGER NOT NULL DEFAULT 1, taxable INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (shop, order_id, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refunds (
  shop TEXT NOT NULL, id INTEGER NOT NULL, order_id INTEGER NOT NULL, created_at TEXT NOT NULL, processed_at TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refunds_order ON refunds (shop, order_id);
CREATE TABLE IF NOT EXISTS refund_lines (
  shop TEXT NOT NULL, refund_id INTEGER NOT NULL, id INTEGER NOT NULL, line_item_id INTEGER NOT NULL, location_id INTEGER, quantity INTEGER NOT NULL,
  restock_type TEXT NOT NULL, subtotal TEXT NOT NULL, tax TEXT NOT NULL DEFAULT '0.00', PRIMARY KEY (shop, refund_id, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS currencies (code TEXT PRIMARY KEY, scale REAL NOT NULL) WITHOUT ROWID; -- those that have not two decimals
-- what an order charges beside its lines: shipping, duties, additional fees, fees of a return
CREATE TABLE IF NOT EXISTS order_charges (
  shop TEXT NOT NULL, order_id INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, -- SHIPPING | DUTY | ADDITIONAL_FEE | FEE
  title TEXT NOT NULL, price TEXT NOT NULL, discount TEXT NOT NULL DEFAULT '0.00', tax_lines TEXT NOT NULL DEFAULT '[]', line_item_id INTEGER,
  PRIMARY KEY (shop, order_id, id)) WITHOUT ROWID;
-- the sales ledger, append-only: an agreement an act, its sales; amounts are whole numbers of the currency's smallest unit, signed as Shopify's.
-- An order of a mass-made history has no rows until somebody acts on it: views.sql derives them.
CREATE TABLE IF NOT EXISTS agreement (
  shop TEXT NOT NULL, order_id INTEGER NOT NULL, id INTEGER NOT NULL, happened_at TEXT NOT NULL,
  kind TEXT NOT NULL,   -- OrderAgreement | OrderEditAgreement | RefundAgreement | ReturnAgreement
  reason TEXT NOT NULL, -- ORDER | ORDER_EDIT | REFUND | RETURN
  refund_id INTEGER, return_id INTEGER, PRIMARY KEY (shop, order_id, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sale (
  shop TEXT NOT NULL, order_id INTEGER NOT NULL, agreement_id INTEGER NOT NULL, id INTEGER NOT NULL, happened_at TEXT NOT NULL,
  reason TEXT NOT NULL, action TEXT NOT NULL, -- ORDER | RETURN | UPDATE
  line_type TEXT NOT NULL, line_item_id INTEGER, product_id INTEGER, variant_id INTEGER, charge_id INTEGER, quantity INTEGER,
  total INTEGER NOT NULL,               -- after discounts, with tax
  tax INTEGER NOT NULL, discount_before_tax INTEGER NOT NULL, discount_after_tax INTEGER NOT NULL,
  taxes TEXT,                           -- [{"title", "rate", "amount"}]
  note TEXT,                            -- an adjustment's reason
  PRIMARY KEY (shop, order_id, agreement_id, id)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS sale_is_never_changed BEFORE UPDATE ON sale BEGIN SELECT RAISE(ABORT, 'sale is append-only'); END;
CREATE TRIGGER IF NOT EXISTS sale_is_never_deleted BEFORE DELETE ON sale BEGIN SELECT RAISE(ABORT, 'sale is append-only'); END;
CREATE TABLE IF NOT EXISTS returns (
  shop TEXT NOT NULL, id INTEGER NOT NULL, order_id INTEGER NOT NULL, status TEXT NOT NULL, -- REQUESTED | OPEN | CLOSED | DECLINED
  created_at TEXT NOT NULL, closed_at TEXT, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS returns_order ON returns (shop, order_id);
CREATE TABLE IF NOT EXISTS return_lines (
  shop TEXT NOT NULL, return_id INTEGER NOT NULL, id INTEGER NOT NULL, line_item_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (shop, return_id, id)) WITHOUT ROWID;
-- every change of a price, whoever made it, in order: the independent log that checks us
CREATE TABLE IF NOT EXISTS price_writes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, at TEXT NOT NULL, variant_id INTEGER NOT NULL, actor TEXT NOT NULL, -- 'app' | 'merchant'
  before_price TEXT NOT NULL, before_compare_at TEXT, after_price TEXT NOT NULL, after_compare_at TEXT, request_id TEXT);
-- the model's truth per variant, and what it did each day
CREATE TABLE IF NOT EXISTS truth (
  shop TEXT NOT NULL, variant_id INTEGER NOT NULL, base_per_day REAL NOT NULL, reference_price TEXT NOT NULL, elasticity REAL NOT NULL,
  dispersion REAL NOT NULL, trend TEXT NOT NULL DEFAULT '[]', supplier TEXT NOT NULL, lead_time_days_mean REAL NOT NULL, lead_time_days_sd REAL NOT NULL,
  pack INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (shop, variant_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS truth_days (
  shop TEXT NOT NULL, day TEXT NOT NULL, variant_id INTEGER NOT NULL, mean REAL NOT NULL, demand INTEGER NOT NULL, sold INTEGER NOT NULL, lost INTEGER NOT NULL,
  price TEXT NOT NULL, PRIMARY KEY (shop, day, variant_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purchase_orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, variant_id INTEGER NOT NULL, location_id INTEGER NOT NULL, units INTEGER NOT NULL,
  placed_at TEXT NOT NULL, arrives_at TEXT NOT NULL, received_at TEXT, placed_by TEXT NOT NULL DEFAULT 'merchant');
-- Shopify's own bundles: what a unit of a variant is made of
CREATE TABLE IF NOT EXISTS variant_components (
  shop TEXT NOT NULL, variant_id INTEGER NOT NULL, component_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (shop, variant_id, component_id)) WITHOUT ROWID;
-- OAuth
CREATE TABLE IF NOT EXISTS access_tokens (
  token TEXT PRIMARY KEY, shop TEXT NOT NULL, install INTEGER NOT NULL, kind TEXT NOT NULL, scopes TEXT NOT NULL, issued_at REAL NOT NULL, expires_at REAL, revoked_at REAL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
  token TEXT PRIMARY KEY, shop TEXT NOT NULL, install INTEGER NOT NULL, issued_at REAL NOT NULL, expires_at REAL NOT NULL, replaced_by TEXT, first_used_at REAL, dead_at REAL);
CREATE TABLE IF NOT EXISTS oauth_codes (code TEXT PRIMARY KEY, shop TEXT NOT NULL, issued_at REAL NOT NULL);
-- draft transfers: what an app proposes to have delivered
CREATE TABLE IF NOT EXISTS inventory_transfers (
  shop TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'DRAFT', origin_id INTEGER, destination_id INTEGER,
  reference_name TEXT, note TEXT, tags TEXT NOT NULL DEFAULT '', date_created TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inventory_transfer_lines (
  shop TEXT NOT NULL, id INTEGER NOT NULL, transfer_id INTEGER NOT NULL, inventory_item_id INTEGER NOT NULL, quantity INTEGER NOT NULL,
  PRIMARY KEY (shop, id)) WITHOUT ROWID;
-- the plan a merchant chose on the plan page
CREATE TABLE IF NOT EXISTS app_subscriptions (
  shop TEXT PRIMARY KEY, id INTEGER NOT NULL, plan_handle TEXT NOT NULL, name TEXT NOT NULL, price TEXT NOT NULL, status TEXT NOT NULL,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL) WITHOUT ROWID;
-- markets: a list a market, and the prices it holds fast
CREATE TABLE IF NOT EXISTS price_lists (shop TEXT NOT NULL, id INTEGER NOT NULL, title TEXT NOT NULL, currency TEXT NOT NULL, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fixed_prices (
  shop TEXT NOT NULL, price_list_id INTEGER NOT NULL, variant_id INTEGER NOT NULL, price TEXT NOT NULL, updated_at TEXT NOT NULL,
  PRIMARY KEY (shop, price_list_id, variant_id)) WITHOUT ROWID;
-- bulk operations
CREATE TABLE IF NOT EXISTS bulk_operations (
  shop TEXT NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, query TEXT NOT NULL, error_code TEXT, created_at TEXT NOT NULL, completed_at TEXT,
  object_count INTEGER NOT NULL DEFAULT 0, root_object_count INTEGER NOT NULL DEFAULT 0, file_size INTEGER, path TEXT, url_token TEXT,
  grouped INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (shop, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency_keys (shop TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, response TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (shop, key)) WITHOUT ROWID;
-- webhooks: what happened (events), and each attempt to tell it (deliveries)
CREATE TABLE IF NOT EXISTS webhook_subscriptions (
  shop TEXT NOT NULL, id INTEGER NOT NULL, topic TEXT NOT NULL, uri TEXT NOT NULL, include_fields TEXT, failures INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL, deleted_at TEXT, PRIMARY KEY (shop, id)) WITHOUT ROWID;  -- API-created only; the TOML's live in simulator.subscriptions
CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, topic TEXT NOT NULL, uri TEXT NOT NULL, webhook_id TEXT NOT NULL, event_id TEXT NOT NULL,
  triggered_at TEXT NOT NULL, body BLOB NOT NULL, subscription_id INTEGER, due_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'pending', -- pending | delivered | dropped | failed
  last_status INTEGER, delivered_at REAL, copies INTEGER NOT NULL DEFAULT 1);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE INDEX IF NOT EXISTS deliveries_recent ON deliveries (shop, topic, triggered_at);
CREATE TABLE IF NOT EXISTS faults (name TEXT PRIMARY KEY, value TEXT NOT NULL);   -- JSON values, see simulator/faults.py
