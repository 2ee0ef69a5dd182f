-- Why: a price raised while stock was short is taken back by a suggestion of its own, which ends the raise's window without
-- being an undo; ranges are scored by every run, which each shop has daily, so no look-back of theirs was ever due.
-- Locks: brief ACCESS EXCLUSIVE on registrations and look_backs, while their rows are read against the new checks.
ALTER TABLE registrations
    DROP CONSTRAINT registrations_ended_because_check,
    ADD CONSTRAINT registrations_ended_because_check CHECK (ended_because IN ('undone', 'edited', 'way_back'));
DELETE FROM look_backs WHERE what = 'ranges';
ALTER TABLE look_backs
    DROP CONSTRAINT look_backs_what_check,
    ADD CONSTRAINT look_backs_what_check CHECK (what = 'replay');
