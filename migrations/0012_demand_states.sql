-- Why: a week closes by moving each variant's state a step on instead of following its whole history anew.
-- Locks: none that wait (new tables only).
CREATE TABLE demand_fits (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    fitted_on date NOT NULL,           -- periods before this day were learned from
    closed_on date NOT NULL,           -- the states have seen the weeks before this day
    model_version text NOT NULL, horizon integer NOT NULL CHECK (horizon >= 1),
    learned bytea NOT NULL,            -- analytics.demand_learned.LearnedDemand
    CONSTRAINT closed_after_fitted CHECK (closed_on >= fitted_on)
);
CREATE TABLE demand_states (
    shop_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    closed_on date NOT NULL,           -- as its fit's; a row of another day is of no use
    mark bigint NOT NULL,              -- of the weeks it has followed: another mark, another history
    state bytea NOT NULL,              -- analytics.demand_learned.DemandStates, one row of it
    PRIMARY KEY (shop_id, variant_id),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE
);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['demand_fits', 'demand_states'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_shop ON %I TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id())', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO keel_app', t);
    END LOOP;
END $$;
