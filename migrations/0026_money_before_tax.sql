-- Why: which tax is in a shelf price, by variant, as its recent lines paid it: margins are worked out of what is left.
-- Locks: brief ACCESS EXCLUSIVE on suggestions (some hundred rows a shop, read once against the new check); the rest is new.
CREATE TABLE tax_rates (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    variant_id bigint NOT NULL,
    tax_rate numeric(9, 5) NOT NULL CHECK (tax_rate >= 0), -- over the price before it; 0: none is in it, or none is known
    tax_from text NOT NULL CHECK (tax_from IN ('', 'own', 'shop', 'unknown')), -- '': prices are before tax
    PRIMARY KEY (shop_id, variant_id),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants ON DELETE CASCADE
);
ALTER TABLE tax_rates ENABLE ROW LEVEL SECURITY;
ALTER TABLE tax_rates FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON tax_rates TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON tax_rates TO keel_app;

-- What sells on without stock is not lost by waiting: its customers wait.
-- squawk-ignore ban-drop-constraint
ALTER TABLE suggestions DROP CONSTRAINT suggestions_value_unit_check;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE suggestions ADD CONSTRAINT suggestions_value_unit_check
    CHECK (value_unit IN ('profit_a_month', 'margin_a_week', 'waiting_margin_a_week', 'sales_a_month'));
