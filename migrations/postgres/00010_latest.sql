-- The latest four attributes: who agreed that whom hears of changes, and how far the authority's news have been read.

-- +goose Up
ALTER TABLE logins ADD COLUMN sign_card bytea;

CREATE TABLE latest_consents (
    id           text PRIMARY KEY CHECK (id <> ''),
    account_id   text NOT NULL CHECK (account_id <> ''),
    client_id    text NOT NULL CHECK (client_id <> ''),
    refused      boolean NOT NULL,
    items        jsonb NOT NULL,
    texts        text NOT NULL,
    number       bytea,
    sent         bytea,
    registered   boolean NOT NULL,
    given_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE UNIQUE INDEX latest_consents_standing ON latest_consents (account_id, client_id) WHERE withdrawn_at IS NULL;
CREATE INDEX latest_consents_unregistered ON latest_consents (given_at) WHERE NOT registered AND NOT refused AND withdrawn_at IS NULL;
COMMENT ON TABLE latest_consents IS 'One word of a person about one client, yes or no; number and sent are sealed and go when the consent ends.';

CREATE TABLE latest_ended (
    id text PRIMARY KEY CHECK (id <> '')
);
COMMENT ON TABLE latest_ended IS 'Consents that have ended and that the authority still has to forget. Nothing here says whose they were.';

CREATE TABLE feeds (
    name         text PRIMARY KEY CHECK (name <> ''),
    place        text NOT NULL,
    read_at      timestamptz NOT NULL,
    leased_until timestamptz NOT NULL
);
COMMENT ON TABLE feeds IS 'How far news of others have been read, and until when one replica reads on.';

-- +goose Down
DROP TABLE feeds;
DROP TABLE latest_ended;
DROP TABLE latest_consents;
ALTER TABLE logins DROP COLUMN sign_card;
