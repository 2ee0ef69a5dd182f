-- Why: a run of the suggestions that failed left no trace but a log line, and was tried again every quarter of an hour for ever.
-- Locks: brief ACCESS EXCLUSIVE on refresh_requests, which holds at most a row a shop.
ALTER TABLE refresh_requests
    ADD COLUMN attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0), -- that failed, since the last good run
    ADD COLUMN failing_since timestamptz,
    ADD COLUMN failed_at timestamptz,
    ADD COLUMN error_type text,
    ADD COLUMN next_try_at timestamptz, -- not before, however often it is asked for
    ADD CONSTRAINT refresh_requests_failure_check CHECK (
        (attempts = 0) = (failing_since IS NULL) AND (attempts = 0) = (failed_at IS NULL) AND (attempts = 0) = (error_type IS NULL));
