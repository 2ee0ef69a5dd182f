-- Why: where prices never moved a small alternating test teaches what a price does: what it is and may cost is kept before it
-- is agreed to; its prices go out by the same outbox as those of suggestions, and are taken back the same way.
-- Locks: brief ACCESS EXCLUSIVE on price_changes (new columns without a rewrite; rows read once against the new check).
CREATE TABLE price_tests (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    run_id bigint NOT NULL,            -- of the suggestions it was proposed with
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'running', 'returning', 'ended', 'declined')),
    plan jsonb NOT NULL,               -- analytics.switchback.SwitchbackPlan, of products
    weeks integer NOT NULL CHECK (weeks > 0), block_weeks integer NOT NULL CHECK (block_weeks > 0),
    maximum_cost numeric(18, 4) NOT NULL CHECK (maximum_cost >= 0), expected_cost numeric(18, 4) NOT NULL,
    currency text NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz, decided_by text,
    first_on date,                     -- the shop's day on which the first block begins
    weeks_read integer NOT NULL DEFAULT 0,
    reading jsonb,                     -- analytics.switchback_reading.SwitchbackReading, of the weeks read
    stop_because text CHECK (stop_because IN
        ('precise', 'cost', 'finished', 'merchant', 'frozen', 'too_few_left', 'uninstalled')),
    stopped_at timestamptz, stopped_by text,
    ended_at timestamptz,
    next_at timestamptz,               -- when there is something to do: a block, a reading, prices to give back; who does it moves it on
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, run_id) REFERENCES suggestion_runs (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT begun_has_its_day CHECK ((state IN ('proposed', 'declined')) = (first_on IS NULL)),
    CONSTRAINT stopped_has_a_reason CHECK ((state IN ('returning', 'ended')) = (stop_because IS NOT NULL)),
    CONSTRAINT under_way_is_due CHECK ((state IN ('running', 'returning')) = (next_at IS NOT NULL))
);
CREATE UNIQUE INDEX price_tests_one_proposed ON price_tests (shop_id) WHERE state = 'proposed';
CREATE UNIQUE INDEX price_tests_one_under_way ON price_tests (shop_id) WHERE state IN ('running', 'returning');
CREATE INDEX price_tests_due ON price_tests (next_at) WHERE next_at IS NOT NULL;
-- The variants under a test, and what each cost before: this is what is given back.
CREATE TABLE tested_prices (
    shop_id bigint NOT NULL,
    test_id bigint NOT NULL, product_id bigint NOT NULL, variant_id bigint NOT NULL,
    regular_price numeric(18, 4) NOT NULL CHECK (regular_price > 0), regular_compare_at_price numeric(18, 4),
    left_because text CHECK (left_because IN ('edited', 'conflict', 'unknown', 'failed', 'gone')),
    left_at timestamptz,
    returned_at timestamptz,
    PRIMARY KEY (shop_id, test_id, variant_id),
    FOREIGN KEY (shop_id, test_id) REFERENCES price_tests (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT left_has_a_reason CHECK ((left_at IS NULL) = (left_because IS NULL)),
    CONSTRAINT left_or_returned CHECK (left_at IS NULL OR returned_at IS NULL)
);
ALTER TABLE price_changes
    ALTER suggestion_id DROP NOT NULL,
    ADD test_id bigint,
    ADD test_block integer CHECK (test_block >= 0), -- NULL: back to the regular price
    ADD CONSTRAINT price_changes_test FOREIGN KEY (shop_id, test_id) REFERENCES price_tests (shop_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT of_a_suggestion_or_a_test CHECK ((suggestion_id IS NULL) = (test_id IS NOT NULL)),
    ADD CONSTRAINT block_of_a_test CHECK (test_block IS NULL OR test_id IS NOT NULL);
CREATE INDEX price_changes_test ON price_changes (shop_id, test_id, variant_id) WHERE test_id IS NOT NULL;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['price_tests', 'tested_prices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;
CREATE POLICY due_work ON price_tests FOR SELECT TO keel_sweeper USING (true);
GRANT SELECT (shop_id, id, state, next_at) ON price_tests TO keel_sweeper;
