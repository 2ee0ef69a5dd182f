-- Why: orders as facts without persons, and what they come to per variant and day.
-- Locks: none, new tables.
CREATE TABLE orders (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL,
    name text, source_name text, currency text NOT NULL, financial_status text,
    is_test boolean NOT NULL DEFAULT false,
    processed_at timestamptz NOT NULL,
    processed_on date NOT NULL,        -- the shop's calendar day
    created_at timestamptz, cancelled_at timestamptz, deleted_at timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (shop_id, id)
);
CREATE INDEX orders_day ON orders (shop_id, processed_on);
CREATE TABLE order_lines (
    shop_id bigint NOT NULL,
    order_id bigint NOT NULL, id bigint NOT NULL,
    product_id bigint, variant_id bigint, sku text, title text,
    quantity integer NOT NULL, current_quantity integer NOT NULL,
    unit_price numeric(18, 4) NOT NULL, discount numeric(18, 4) NOT NULL DEFAULT 0, tax numeric(18, 4) NOT NULL DEFAULT 0,
    is_gift_card boolean NOT NULL DEFAULT false,
    PRIMARY KEY (shop_id, order_id, id),
    FOREIGN KEY (shop_id, order_id) REFERENCES orders (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX order_lines_variant ON order_lines (shop_id, variant_id);
CREATE TABLE refunds (
    shop_id bigint NOT NULL,
    id bigint NOT NULL, order_id bigint NOT NULL,
    processed_at timestamptz NOT NULL, processed_on date NOT NULL,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, order_id) REFERENCES orders (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX refunds_order ON refunds (shop_id, order_id);
CREATE INDEX refunds_day ON refunds (shop_id, processed_on);
CREATE TABLE refund_lines (
    shop_id bigint NOT NULL,
    refund_id bigint NOT NULL, id bigint NOT NULL, order_line_id bigint NOT NULL,
    quantity integer NOT NULL, restock_type text NOT NULL,
    subtotal numeric(18, 4) NOT NULL, tax numeric(18, 4) NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, refund_id, id),
    FOREIGN KEY (shop_id, refund_id) REFERENCES refunds (shop_id, id) ON DELETE CASCADE
);
-- Demand per variant and day, recomputed from rows touched, never incremented.
CREATE TABLE daily_sales (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    variant_id bigint NOT NULL, sold_on date NOT NULL,
    ordered_units integer NOT NULL,    -- gross of returns, net of edits: what shoppers wanted
    returned_units integer NOT NULL,   -- came back later, booked on the day of the sale
    orders integer NOT NULL, largest_line_units integer NOT NULL,
    revenue numeric(18, 4) NOT NULL,   -- price x units less discounts, shop currency
    list_revenue numeric(18, 4) NOT NULL, -- before discounts
    PRIMARY KEY (shop_id, variant_id, sold_on)
);
CREATE INDEX daily_sales_day ON daily_sales (shop_id, sold_on);
CREATE TABLE touched_days (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    sold_on date NOT NULL, touched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, sold_on)
);
CREATE TABLE sync_cursors (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('orders', 'products', 'inventory')),
    seen_until timestamptz NOT NULL,   -- the greatest updated_at seen FROM SHOPIFY, never our clock
    PRIMARY KEY (shop_id, kind)
);
CREATE TABLE reconciliations (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL, started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz,
    checked_rows integer NOT NULL DEFAULT 0, healed_rows integer NOT NULL DEFAULT 0, error text,
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE backfills (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    step text NOT NULL CHECK (step IN ('shop', 'products', 'inventory', 'orders', 'refunds', 'sales', 'decisions')),
    position integer NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    install_epoch integer NOT NULL,
    bulk_operation_id bigint, file_bytes bigint, loaded_bytes bigint NOT NULL DEFAULT 0,
    rows_loaded bigint NOT NULL DEFAULT 0, rows_expected bigint,
    window_since timestamptz,          -- NULL: everything; set when only 60 days may be read
    attempts integer NOT NULL DEFAULT 0, next_at timestamptz NOT NULL DEFAULT now(), lease_until timestamptz,
    started_at timestamptz, finished_at timestamptz, error text,
    PRIMARY KEY (shop_id, step)
);
