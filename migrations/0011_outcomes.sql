-- Why: a decision is registered before it is written and judged after its stop date; a kind that loses money stops itself.
-- Locks: brief ACCESS EXCLUSIVE on suggestions, decision_log, shop_settings (constraints and columns; the checks only widen).
ALTER TABLE suggestions DROP CONSTRAINT suggestions_state_check;
ALTER TABLE suggestions ADD CONSTRAINT suggestions_state_check
    CHECK (state IN ('open', 'accepted', 'dismissed', 'superseded', 'undone', 'held_back')) NOT VALID;
ALTER TABLE decision_log DROP CONSTRAINT decision_log_action_check;
ALTER TABLE decision_log ADD CONSTRAINT decision_log_action_check
    CHECK (action IN ('accepted', 'dismissed', 'undo_asked', 'applied', 'conflict', 'failed', 'unknown', 'undone', 'retried',
                      'registered', 'judged', 'held_back', 'stopped')) NOT VALID;
ALTER TABLE shop_settings
    ADD holdback_share numeric(3, 2) NOT NULL DEFAULT 0 CHECK (holdback_share = 0 OR holdback_share BETWEEN 0.10 AND 0.20),
    ADD loss_cap numeric(18, 2) CHECK (loss_cap > 0),  -- NULL: a hundredth of ninety days' sales
    ADD exposure_limit numeric(3, 2) NOT NULL DEFAULT 0.30 CHECK (exposure_limit BETWEEN 0.05 AND 1);
-- How a decision will be judged, fixed before it is written; `record` is analytics.outcomes.Registration.
CREATE TABLE registrations (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    suggestion_id bigint NOT NULL, variant_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('price_rise', 'price_cut', 'restock', 'trend')),
    is_held_back boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('measuring', 'judged', 'not_measured', 'void')),
    metric text NOT NULL, not_measurable_because text,
    first_on date, stop_on date,       -- the window measured is [first_on, stop_on)
    record jsonb,
    evidence jsonb NOT NULL,           -- the run, its inputs' checksum, what was proposed and expected
    risk numeric(18, 2) NOT NULL CHECK (risk >= 0), -- gross profit it may lose over the window at the low end
    registered_at timestamptz NOT NULL DEFAULT now(),
    ended_on date, ended_because text CHECK (ended_because IN ('undone', 'edited')),
    PRIMARY KEY (shop_id, id),
    UNIQUE (shop_id, suggestion_id),
    FOREIGN KEY (shop_id, suggestion_id) REFERENCES suggestions (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT measured_has_a_window CHECK (state NOT IN ('measuring', 'judged') OR (record IS NOT NULL AND first_on < stop_on)),
    CONSTRAINT unmeasured_says_why CHECK (state <> 'not_measured' OR not_measurable_because IS NOT NULL),
    CONSTRAINT ended_says_why CHECK ((ended_on IS NULL) = (ended_because IS NULL))
);
CREATE INDEX registrations_state ON registrations (shop_id, state, stop_on);
CREATE TABLE verdicts (
    shop_id bigint NOT NULL,
    registration_id bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('helped', 'hurt', 'could_not_tell', 'too_early', 'not_measurable')),
    profit numeric(18, 2), profit_low numeric(18, 2), profit_high numeric(18, 2), -- over the window, 80 % range
    currency text NOT NULL, record jsonb NOT NULL, -- analytics.outcomes.Verdict
    as_of date NOT NULL, judged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, registration_id),
    FOREIGN KEY (shop_id, registration_id) REFERENCES registrations (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT verdict_in_order CHECK (profit_low <= profit AND profit <= profit_high),
    CONSTRAINT told_has_figures CHECK (outcome NOT IN ('helped', 'hurt') OR profit IS NOT NULL)
);
-- All decisions together and what each kind may do, as last worked out; and when to look again.
CREATE TABLE ledgers (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    as_of date, total jsonb, rulings jsonb NOT NULL DEFAULT '{}', worked_out_at timestamptz,
    due_at timestamptz NOT NULL, lease_until timestamptz
);
CREATE INDEX ledgers_due ON ledgers (due_at);
CREATE TABLE brakes (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (kind IN ('price_rise', 'price_cut')),
    ruling jsonb NOT NULL,             -- analytics.brake.BrakeRuling: the reason and its numbers
    pulled_at timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz, lifted_by text,
    PRIMARY KEY (shop_id, id),
    CONSTRAINT lifted_by_someone CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE UNIQUE INDEX brakes_one_on ON brakes (shop_id, kind) WHERE lifted_at IS NULL;
-- Each suggestion is drawn for once: held back, or shown.
CREATE TABLE holdback_draws (
    shop_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    is_held_back boolean NOT NULL, share numeric(3, 2) NOT NULL, seed bigint NOT NULL,
    drawn_on date NOT NULL, rests_until date NOT NULL, -- not drawn for again before
    PRIMARY KEY (shop_id, variant_id, drawn_on),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE
);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['registrations', 'verdicts', 'ledgers', 'brakes', 'holdback_draws'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;
CREATE POLICY due_work ON ledgers FOR SELECT TO keel_sweeper USING (true);
GRANT SELECT (shop_id, due_at, lease_until) ON ledgers TO keel_sweeper;
