-- Why: a vendor takes no order below some money or units; what each budget would buy is kept with its run, for pages.
-- Locks: brief ACCESS EXCLUSIVE on vendor_lead_times and suggestion_runs (columns with constant defaults: no rewrite).
ALTER TABLE vendor_lead_times
    ADD order_minimum numeric(18, 2) CHECK (order_minimum > 0),  -- NULL: none
    ADD order_minimum_in text NOT NULL DEFAULT 'money' CHECK (order_minimum_in IN ('money', 'units'));
ALTER TABLE suggestion_runs
    ADD order_budget jsonb NOT NULL DEFAULT '{}';  -- plans of every budget (usecases/advice_orders.py); {} once let go
