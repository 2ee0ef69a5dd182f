-- Why: ranges we gave are held against what came, and the past year is replayed with our advice.
-- Locks: none that wait (new tables only).
CREATE TABLE issued_ranges (
    shop_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('restock')),
    issued_on date NOT NULL, due_on date NOT NULL, -- the total over [issued_on, due_on)
    level numeric(5, 4) NOT NULL CHECK (level > 0 AND level < 1),
    used_level numeric(5, 4) NOT NULL CHECK (used_level > 0 AND used_level < 1), -- what the model was asked for
    expected double precision NOT NULL CHECK (expected >= 0),
    low integer NOT NULL, high integer NOT NULL,
    low_share real NOT NULL CHECK (low_share BETWEEN 0 AND 1),   -- how far a total on the end itself is inside:
    high_share real NOT NULL CHECK (high_share BETWEEN 0 AND 1), -- whole units cannot be cut where a range is
    actual integer, left_out_because text CHECK (left_out_because IN ('out_of_stock')),
    PRIMARY KEY (shop_id, variant_id, kind, issued_on),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT range_in_order CHECK (low <= high AND issued_on < due_on),
    CONSTRAINT came_or_left_out CHECK (actual IS NULL OR left_out_because IS NULL)
);
CREATE INDEX issued_ranges_due ON issued_ranges (shop_id, due_on) WHERE actual IS NULL AND left_out_because IS NULL;
CREATE TABLE calibrations (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    as_of date NOT NULL,
    record jsonb NOT NULL,             -- analytics.calibration: how many ranges held, by level, kind, class of demand
    corrections jsonb NOT NULL DEFAULT '{}', -- level -> the level to ask the model for
    worked_out_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE replays (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    as_of date NOT NULL, currency text NOT NULL,
    record jsonb NOT NULL,             -- analytics.replay.Replay
    worked_out_at timestamptz NOT NULL DEFAULT now()
);
-- When a shop's ranges are to be scored and its year replayed; asking twice is asking once.
CREATE TABLE look_backs (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    what text NOT NULL CHECK (what IN ('ranges', 'replay')),
    due_at timestamptz NOT NULL, lease_until timestamptz,
    PRIMARY KEY (shop_id, what)
);
CREATE INDEX look_backs_due ON look_backs (due_at);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['issued_ranges', 'calibrations', 'replays', 'look_backs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;
CREATE POLICY due_work ON look_backs FOR SELECT TO keel_sweeper USING (true);
GRANT SELECT (shop_id, what, due_at, lease_until) ON look_backs TO keel_sweeper;
