-- Why: a privacy request is written into the ledger before it is carried out, by a transaction of its own: once, however often it is
-- tried; the deliveries that have steps of their own are found without walking a shop's whole backlog.
-- Locks: brief ACCESS EXCLUSIVE on redactions (new column without a rewrite; a small table); SHARE on webhook_inbox while it is read
-- once: the door answers 503 after two seconds, and Shopify comes again.
ALTER TABLE redactions ADD delivery_id bigint UNIQUE; -- of webhook_inbox, whose row goes after 60 days; NULL: from before this column
CREATE INDEX webhook_inbox_apart ON webhook_inbox (shop_domain, next_at)
    WHERE topic IN ('customers/data_request', 'customers/redact', 'shop/redact', 'app/uninstalled') AND done_at IS NULL AND dead_at IS NULL;
