-- Why: news of an uninstall may arrive after a reinstall, also one of whose uninstall we never heard; what is older
-- than the last ID token that Shopify signed for the shop is stale. NULL: no token was read since this column is there.
-- Locks: brief ACCESS EXCLUSIVE on shops (no rewrite).
ALTER TABLE shops ADD COLUMN last_proved_at timestamptz;
