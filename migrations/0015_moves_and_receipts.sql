-- Why: moves between a shop's locations are kept with their run, for pages; orders are followed until they arrive, so that
-- lead times can be learned from what came and when.
-- Locks: brief ACCESS EXCLUSIVE on suggestion_runs, purchase_order_lines and vendor_lead_times (constant defaults: no rewrite).
ALTER TABLE suggestion_runs
    ADD moves jsonb NOT NULL DEFAULT '[]';  -- what to move between locations first (usecases/advice_moves.py); [] once let go
ALTER TABLE purchase_order_lines
    ADD arrived_at timestamptz,
    ADD arrival_seen_by text CHECK (arrival_seen_by IN ('merchant', 'stock')),  -- a click, or the shelf that rose by it
    ADD CONSTRAINT arrival_has_its_witness CHECK ((arrived_at IS NULL) = (arrival_seen_by IS NULL)),
    ADD CONSTRAINT only_what_was_sent_arrives CHECK (arrived_at IS NULL OR exported_at IS NOT NULL);
CREATE INDEX purchase_order_lines_on_their_way ON purchase_order_lines (shop_id)
    WHERE withdrawn_at IS NULL AND exported_at IS NOT NULL AND arrived_at IS NULL;
ALTER TABLE vendor_lead_times
    ADD lead_time_is_fixed boolean NOT NULL DEFAULT false;  -- the merchant's number stands, whatever deliveries took
