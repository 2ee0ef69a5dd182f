-- Why: the language follows the admin's unless the merchant chooses one; 'en' could not say which of the two it was.
-- Locks: brief ACCESS EXCLUSIVE on shop_settings (one row a shop).
ALTER TABLE shop_settings DROP CONSTRAINT shop_settings_language_check;
ALTER TABLE shop_settings ADD CONSTRAINT shop_settings_language_check CHECK (language IN ('auto', 'en', 'zh'));
ALTER TABLE shop_settings ALTER COLUMN language SET DEFAULT 'auto';
UPDATE shop_settings SET language = 'auto' WHERE language = 'en';
