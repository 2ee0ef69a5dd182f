-- Why: in development days pass in a simulated shop, and everything that is due by the shop's days must come due with them.
-- A shop's clock is the machine's, and so many seconds ahead of it; in production it is never ahead.
-- Locks: brief ACCESS EXCLUSIVE on each table named below; no table is rewritten.
ALTER TABLE shops ADD clock_ahead_seconds integer NOT NULL DEFAULT 0 CHECK (clock_ahead_seconds >= 0);

-- The moment in the shop of this transaction; the machine's where it is of no shop. Where many rows are looked at or
-- written, `(SELECT shop_now())` asks once.
CREATE FUNCTION shop_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT now() + make_interval(secs => coalesce((SELECT clock_ahead_seconds FROM shops WHERE shop_id = current_shop_id()), 0))
$$;

ALTER TABLE brakes ALTER pulled_at SET DEFAULT shop_now();
ALTER TABLE calibrations ALTER worked_out_at SET DEFAULT shop_now();
ALTER TABLE decision_log ALTER happened_at SET DEFAULT shop_now();
ALTER TABLE price_changes ALTER approved_at SET DEFAULT shop_now(), ALTER due_at SET DEFAULT shop_now();
ALTER TABLE price_history ALTER recorded_at SET DEFAULT shop_now();
ALTER TABLE price_tests ALTER proposed_at SET DEFAULT shop_now();
ALTER TABLE purchase_order_lines ALTER added_at SET DEFAULT shop_now();
ALTER TABLE registrations ALTER registered_at SET DEFAULT shop_now();
ALTER TABLE replays ALTER worked_out_at SET DEFAULT shop_now();
ALTER TABLE rollouts ALTER created_at SET DEFAULT shop_now();
ALTER TABLE shop_settings ALTER updated_at SET DEFAULT shop_now();
ALTER TABLE suggestion_runs ALTER started_at SET DEFAULT shop_now();
ALTER TABLE suggestions ALTER created_at SET DEFAULT shop_now();
ALTER TABLE verdicts ALTER judged_at SET DEFAULT shop_now();
