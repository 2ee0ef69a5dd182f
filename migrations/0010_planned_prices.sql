-- Why: accepted prices may go out later and in stages; an edit back and a late echo are told apart; markets' own prices are known.
-- Locks: brief ACCESS EXCLUSIVE on price_changes and price_history (new columns without a rewrite; recorded_at has a stable default).
CREATE TABLE rollouts (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    created_by text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(),
    first_at timestamptz NOT NULL,
    stages integer NOT NULL CHECK (stages BETWEEN 1 AND 12),
    every_days integer NOT NULL CHECK (every_days BETWEEN 1 AND 28),
    exposure jsonb NOT NULL,           -- what the merchant was shown before confirming
    stopped_at timestamptz, stopped_because text CHECK (stopped_because IN ('merchant', 'brake')),
    PRIMARY KEY (shop_id, id),
    CONSTRAINT stopped_has_a_reason CHECK ((stopped_at IS NULL) = (stopped_because IS NULL))
);
ALTER TABLE price_changes
    ADD rollout_id bigint, ADD stage integer,
    ADD planned_for timestamptz,       -- NULL: at once
    ADD before_updated_at timestamptz, -- Shopify's stamp of the variant that we read before the first write
    ADD CONSTRAINT price_changes_rollout FOREIGN KEY (shop_id, rollout_id) REFERENCES rollouts (shop_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT staged_in_a_rollout CHECK ((rollout_id IS NULL) = (stage IS NULL));
CREATE INDEX price_changes_rollout ON price_changes (shop_id, rollout_id) WHERE rollout_id IS NOT NULL;
ALTER TABLE price_history
    ADD recorded_at timestamptz NOT NULL DEFAULT now(), -- our clock; seen_at is Shopify's
    ADD change_id bigint,              -- the write of ours that this is the echo of
    ADD CONSTRAINT price_history_change FOREIGN KEY (shop_id, change_id) REFERENCES price_changes (shop_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT echo_is_ours CHECK (change_id IS NULL OR source = 'app');
CREATE UNIQUE INDEX price_history_one_echo ON price_history (shop_id, change_id) WHERE change_id IS NOT NULL;
-- Prices that a market's list holds fast: a change of the base price does not move them.
CREATE TABLE fixed_prices (
    shop_id bigint NOT NULL,
    variant_id bigint NOT NULL, price_list_id bigint NOT NULL,
    name text NOT NULL,                -- of the list or its markets, as the merchant calls it
    currency text NOT NULL, price numeric(18, 4) NOT NULL, compare_at_price numeric(18, 4),
    PRIMARY KEY (shop_id, variant_id, price_list_id),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE
);
CREATE TABLE market_reads (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    read_at timestamptz NOT NULL, price_lists integer NOT NULL, fixed_prices integer NOT NULL
);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['rollouts', 'fixed_prices', 'market_reads'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;
