-- Why: who may touch what, and the shops themselves.
-- Locks: none that matter, the tables are new.
-- The login role of DATABASE_URL owns the schema; each transaction steps down to one of three roles (db/connection.py).
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keel_app') THEN CREATE ROLE keel_app NOLOGIN NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keel_ingest') THEN CREATE ROLE keel_ingest NOLOGIN NOBYPASSRLS; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'keel_sweeper') THEN CREATE ROLE keel_sweeper NOLOGIN NOBYPASSRLS; END IF;
END $$;
GRANT keel_app, keel_ingest, keel_sweeper TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO keel_app, keel_ingest, keel_sweeper;

-- The shop a transaction speaks for; NULL (so: no rows) when it was never said.
CREATE FUNCTION current_shop_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.shop_id', true), '')::bigint $$;

CREATE TABLE shops (
    shop_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    domain text NOT NULL UNIQUE CHECK (domain ~ '\A[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com\Z'),
    shopify_id bigint,
    name text NOT NULL DEFAULT '',
    currency text NOT NULL DEFAULT 'USD' CHECK (length(currency) = 3),
    timezone text NOT NULL DEFAULT 'UTC',
    country text,
    plan text,
    taxes_included boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'installed'
        CHECK (state IN ('installed', 'needs_open', 'frozen', 'uninstalled')),
    granted_scopes text[] NOT NULL DEFAULT '{}',
    install_epoch integer NOT NULL DEFAULT 1 CHECK (install_epoch > 0),
    installed_at timestamptz NOT NULL DEFAULT now(),
    uninstalled_at timestamptz,
    writes_paused_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uninstalled_has_its_time CHECK ((state = 'uninstalled') = (uninstalled_at IS NOT NULL))
);

CREATE TABLE offline_tokens (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    install_epoch integer NOT NULL,
    access_token bytea NOT NULL,      -- AES-GCM: key id, nonce, ciphertext; associated data: the shop id
    refresh_token bytea,
    expires_at timestamptz NOT NULL,
    refresh_expires_at timestamptz,
    generation integer NOT NULL DEFAULT 1,
    refreshed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shop_settings (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    language text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'zh')),
    timezone text,                                        -- NULL: Shopify's
    lead_time_days integer NOT NULL DEFAULT 14 CHECK (lead_time_days BETWEEN 0 AND 365),
    review_period_days integer NOT NULL DEFAULT 28 CHECK (review_period_days BETWEEN 1 AND 90),
    cycle_service_level numeric(4, 3) DEFAULT 0.950 CHECK (cycle_service_level BETWEEN 0.5 AND 0.999), -- NULL: from the costs alone
    holding_cost_per_year numeric(4, 3) NOT NULL DEFAULT 0.300 CHECK (holding_cost_per_year BETWEEN 0.01 AND 2),
    margin_floor numeric(4, 3) NOT NULL DEFAULT 0.200 CHECK (margin_floor BETWEEN 0 AND 0.95),
    max_price_step numeric(4, 3) NOT NULL DEFAULT 0.100 CHECK (max_price_step BETWEEN 0.01 AND 0.5),
    price_ending text NOT NULL DEFAULT 'keep' CHECK (price_ending IN ('keep', '.99', '.95', '.00')),
    prices_frozen_first date,
    prices_frozen_last date,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT freeze_is_a_range CHECK ((prices_frozen_first IS NULL) = (prices_frozen_last IS NULL) AND prices_frozen_first <= prices_frozen_last)
);

CREATE TABLE vendor_lead_times (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    vendor text NOT NULL,
    lead_time_days integer NOT NULL CHECK (lead_time_days BETWEEN 0 AND 365),
    pack_units integer NOT NULL DEFAULT 1 CHECK (pack_units > 0),
    minimum_units integer NOT NULL DEFAULT 0 CHECK (minimum_units >= 0),
    PRIMARY KEY (shop_id, vendor)
);
