-- Why: a webhook is proved, kept as bytes, committed, answered; everything else happens later (docs/adr/0007).
-- Locks: none, new tables.
CREATE TABLE webhook_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id text NOT NULL UNIQUE,
    event_id text,
    shop_domain text NOT NULL,
    topic text NOT NULL,
    api_version text,
    triggered_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT now(),
    body bytea NOT NULL,               -- never jsonb: a poison body must be kept, not refused
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    done_at timestamptz,
    outcome text CHECK (outcome IN ('applied', 'stale', 'ignored', 'refetch')),
    dead_at timestamptz,
    error text,
    CONSTRAINT done_or_dead CHECK (done_at IS NULL OR dead_at IS NULL)
);
CREATE INDEX webhook_inbox_due ON webhook_inbox (shop_domain, next_at, id) WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX webhook_inbox_dead ON webhook_inbox (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX webhook_inbox_done ON webhook_inbox (done_at) WHERE done_at IS NOT NULL;

-- What the three privacy topics asked and what was done. It outlives the shop: no foreign key.
CREATE TABLE redactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_domain text NOT NULL,
    topic text NOT NULL CHECK (topic IN ('customers/data_request', 'customers/redact', 'shop/redact')),
    request jsonb NOT NULL,            -- ids only
    received_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,
    done_at timestamptz,
    proof jsonb                        -- rows removed or found, by table
);

-- When a periodic job is due next; the pump reads it, so no schedule lives in Redis.
CREATE TABLE schedules (
    name text PRIMARY KEY,
    every_seconds integer NOT NULL CHECK (every_seconds > 0),
    next_at timestamptz NOT NULL DEFAULT now(),
    last_started_at timestamptz
);
