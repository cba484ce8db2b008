-- Messages to relying parties that have to arrive, and what relying parties call a session.

-- +goose Up
-- One message to a relying party that has not arrived yet; body is sealed.
CREATE TABLE outbox (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    kind       TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    body       BLOB,
    attempts   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    next_try   INTEGER NOT NULL,
    give_up    INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (next_try);

ALTER TABLE grants ADD COLUMN sid TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE grants DROP COLUMN sid;
DROP TABLE outbox;
