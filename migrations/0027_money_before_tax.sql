-- What of a shelf price is tax, by variant, as its recent lines paid it: margins are worked out of what is left.
CREATE TABLE tax_shares (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    variant_id bigint NOT NULL,
    tax_share numeric(7, 6) NOT NULL CHECK (tax_share >= 0 AND tax_share < 1), -- of the price; 0: none is in it, or none is known
    tax_from text NOT NULL CHECK (tax_from IN ('', 'own', 'shop', 'unknown')), -- '': prices are before tax
    PRIMARY KEY (shop_id, variant_id),
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants ON DELETE CASCADE
);
ALTER TABLE tax_shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE tax_shares FORCE ROW LEVEL SECURITY;
CREATE POLICY own_shop ON tax_shares TO keel_app USING (shop_id = current_shop_id()) WITH CHECK (shop_id = current_shop_id());
GRANT SELECT, INSERT, UPDATE, DELETE ON tax_shares TO keel_app;

-- What sells on without stock is not lost by waiting: its customers wait.
ALTER TABLE suggestions DROP CONSTRAINT suggestions_value_unit_check;
ALTER TABLE suggestions ADD CONSTRAINT suggestions_value_unit_check
    CHECK (value_unit IN ('profit_a_month', 'margin_a_week', 'waiting_margin_a_week', 'sales_a_month'));
