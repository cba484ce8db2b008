-- Messages to relying parties that have to arrive, and what relying parties call a session.

-- +goose Up
CREATE TABLE outbox (
    id         text PRIMARY KEY CHECK (id <> ''),
    kind       text NOT NULL,
    client_id  text NOT NULL,
    body       bytea,
    attempts   bigint NOT NULL,
    created_at timestamptz NOT NULL,
    next_try   timestamptz NOT NULL,
    give_up    timestamptz NOT NULL
);
CREATE INDEX outbox_due ON outbox (next_try);
COMMENT ON TABLE outbox IS 'One message to a relying party that has not arrived yet; body is sealed.';

ALTER TABLE grants ADD COLUMN sid text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE grants DROP COLUMN sid;
DROP TABLE outbox;
