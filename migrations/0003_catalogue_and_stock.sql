-- Why: Shopify's catalogue and stock as rows, each with Shopify's own stamp so that late news loses.
-- Locks: none, new tables.
CREATE TABLE products (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL,
    title text NOT NULL, handle text, status text NOT NULL, vendor text, product_type text,
    tags text[] NOT NULL DEFAULT '{}', is_gift_card boolean NOT NULL DEFAULT false,
    image_url text,
    created_at timestamptz, published_at timestamptz,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,            -- a tombstone: a late update must not resurrect
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE variants (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL,
    product_id bigint NOT NULL,
    inventory_item_id bigint,
    title text NOT NULL, sku text, position integer NOT NULL DEFAULT 1,
    price numeric(18, 4) NOT NULL, compare_at_price numeric(18, 4),
    inventory_policy text NOT NULL DEFAULT 'DENY',
    created_at timestamptz, updated_at timestamptz NOT NULL, deleted_at timestamptz,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, product_id) REFERENCES products (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX variants_product ON variants (shop_id, product_id);
CREATE INDEX variants_inventory_item ON variants (shop_id, inventory_item_id);
CREATE TABLE price_history (
    shop_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    variant_id bigint NOT NULL,
    price numeric(18, 4) NOT NULL, compare_at_price numeric(18, 4),
    seen_at timestamptz NOT NULL,
    source text NOT NULL CHECK (source IN ('import', 'merchant', 'app')),
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX price_history_variant ON price_history (shop_id, variant_id, seen_at);
CREATE TABLE inventory_items (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL,
    is_tracked boolean NOT NULL DEFAULT true,
    unit_cost numeric(18, 4),          -- NULL: unknown, which is not zero
    updated_at timestamptz NOT NULL, deleted_at timestamptz,
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE locations (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint NOT NULL, name text NOT NULL, is_active boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL, deleted_at timestamptz,
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE inventory_levels (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    inventory_item_id bigint NOT NULL, location_id bigint NOT NULL,
    available_units integer NOT NULL, incoming_units integer NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (shop_id, inventory_item_id, location_id)
);
-- Each change of what could be bought, from the first webhook on: the source of stock-out days.
CREATE TABLE inventory_history (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    inventory_item_id bigint NOT NULL, location_id bigint NOT NULL,
    changed_at timestamptz NOT NULL, available_units integer NOT NULL,
    PRIMARY KEY (shop_id, inventory_item_id, location_id, changed_at)
);
-- What we know only partly and must ask Shopify again, coalesced per resource.
CREATE TABLE refetches (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('order', 'product', 'inventory_item')),
    resource_id bigint NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(), next_at timestamptz NOT NULL DEFAULT now(), attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (shop_id, kind, resource_id)
);
