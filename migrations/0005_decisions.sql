-- Why: suggestions, their evidence, and the outbox that writes prices (docs/states.md draws both machines).
-- Locks: none, new tables.
CREATE TABLE suggestion_runs (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    as_of date NOT NULL, seed integer NOT NULL, model_version text NOT NULL,
    inputs bytea NOT NULL,             -- the frames the models saw, compressed: evidence recomputes from them
    inputs_sha256 text NOT NULL,
    counts jsonb NOT NULL DEFAULT '{}', -- looked at, need nothing, not sure (by reason), suggested
    started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz,
    PRIMARY KEY (shop_id, id)
);
CREATE TABLE suggestions (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    run_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('trend', 'restock', 'price')),
    variant_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'dismissed', 'superseded', 'undone')),
    proposal jsonb NOT NULL,           -- what accepting does (kind-specific; money and quantities as strings/ints)
    evidence jsonb NOT NULL,           -- what the card and the detail page show
    value_low numeric(18, 2) NOT NULL, value_mid numeric(18, 2) NOT NULL, value_high numeric(18, 2) NOT NULL,
    value_unit text NOT NULL CHECK (value_unit IN ('profit_a_month', 'margin_a_week', 'sales_a_month')),
    currency text NOT NULL,
    rank_score double precision NOT NULL,
    is_urgent boolean NOT NULL DEFAULT false,
    as_of date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    decided_at timestamptz, decided_by text, dismiss_reason text, snoozed_until date,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, run_id) REFERENCES suggestion_runs (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT range_in_order CHECK (value_low <= value_mid AND value_mid <= value_high),
    CONSTRAINT decided_has_its_time CHECK ((state IN ('accepted', 'dismissed', 'undone')) <= (decided_at IS NOT NULL)),
    CONSTRAINT dismissed_has_a_reason CHECK (state <> 'dismissed' OR dismiss_reason IS NOT NULL)
);
CREATE UNIQUE INDEX suggestions_one_open ON suggestions (shop_id, kind, variant_id) WHERE state = 'open';
CREATE INDEX suggestions_ranked ON suggestions (shop_id, state, rank_score DESC);
CREATE TABLE price_changes (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    suggestion_id bigint NOT NULL,
    undo_of bigint,                    -- the change this one takes back
    install_epoch integer NOT NULL,
    product_id bigint NOT NULL, variant_id bigint NOT NULL,
    old_price numeric(18, 4) NOT NULL, old_compare_at_price numeric(18, 4),
    new_price numeric(18, 4) NOT NULL CHECK (new_price > 0), new_compare_at_price numeric(18, 4),
    currency text NOT NULL,
    click_key text NOT NULL,           -- a double click is one row
    approved_by text NOT NULL, approved_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'approved'
        CHECK (state IN ('approved', 'sending', 'applied', 'conflict', 'failed', 'unknown', 'undone')),
    attempts integer NOT NULL DEFAULT 0, -- also the fence: only the attempt that claimed may write the end
    next_at timestamptz NOT NULL DEFAULT now(), lease_until timestamptz, sent_at timestamptz,
    seen_price numeric(18, 4), seen_compare_at_price numeric(18, 4), seen_at timestamptz,
    error_code text, error text, finished_at timestamptz,
    PRIMARY KEY (shop_id, id),
    UNIQUE (shop_id, click_key),
    FOREIGN KEY (shop_id, suggestion_id) REFERENCES suggestions (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, undo_of) REFERENCES price_changes (shop_id, id) ON DELETE CASCADE,
    CONSTRAINT ended_has_its_time CHECK ((state IN ('applied', 'conflict', 'failed', 'unknown', 'undone')) = (finished_at IS NOT NULL)),
    CONSTRAINT sending_has_a_lease CHECK (state <> 'sending' OR lease_until IS NOT NULL)
);
CREATE UNIQUE INDEX price_changes_one_under_way ON price_changes (shop_id, variant_id) WHERE state IN ('approved', 'sending');
CREATE INDEX price_changes_due ON price_changes (next_at) WHERE state IN ('approved', 'sending');
CREATE TABLE purchase_order_lines (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    suggestion_id bigint NOT NULL, variant_id bigint NOT NULL, vendor text,
    units integer NOT NULL CHECK (units > 0), unit_cost numeric(18, 4), currency text NOT NULL,
    order_by date NOT NULL, added_by text NOT NULL, added_at timestamptz NOT NULL DEFAULT now(),
    exported_at timestamptz, withdrawn_at timestamptz,
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, suggestion_id) REFERENCES suggestions (shop_id, id) ON DELETE CASCADE,
    FOREIGN KEY (shop_id, variant_id) REFERENCES variants (shop_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX purchase_order_lines_once ON purchase_order_lines (shop_id, suggestion_id) WHERE withdrawn_at IS NULL;
-- Who did what to a suggestion, in order; nothing is ever changed here.
CREATE TABLE decision_log (
    shop_id bigint NOT NULL REFERENCES shops ON DELETE CASCADE,
    id bigint GENERATED ALWAYS AS IDENTITY,
    suggestion_id bigint NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL,
    action text NOT NULL CHECK (action IN ('accepted', 'dismissed', 'undo_asked', 'applied', 'conflict', 'failed', 'unknown', 'undone', 'retried')),
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (shop_id, id),
    FOREIGN KEY (shop_id, suggestion_id) REFERENCES suggestions (shop_id, id) ON DELETE CASCADE
);
-- When a shop's suggestions should be worked out anew; asking twice is asking once.
CREATE TABLE refresh_requests (
    shop_id bigint PRIMARY KEY REFERENCES shops ON DELETE CASCADE,
    asked_at timestamptz NOT NULL DEFAULT now(), due_at timestamptz NOT NULL, lease_until timestamptz
);
