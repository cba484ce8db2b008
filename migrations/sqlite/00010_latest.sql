-- The latest four attributes: who agreed that whom hears of changes, and how far the authority's news have been read.

-- +goose Up
ALTER TABLE logins ADD COLUMN sign_card BLOB;

-- One word of a person about one client, yes or no; number and sent are sealed and go when the consent ends.
CREATE TABLE latest_consents (
    id           TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id   TEXT NOT NULL CHECK (account_id <> ''),
    client_id    TEXT NOT NULL CHECK (client_id <> ''),
    refused      INTEGER NOT NULL CHECK (refused IN (0, 1)),
    items        TEXT NOT NULL,
    texts        TEXT NOT NULL,
    number       BLOB,
    sent         BLOB,
    registered   INTEGER NOT NULL CHECK (registered IN (0, 1)),
    given_at     INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    withdrawn_at INTEGER
) STRICT;
CREATE UNIQUE INDEX latest_consents_standing ON latest_consents (account_id, client_id) WHERE withdrawn_at IS NULL;
CREATE INDEX latest_consents_unregistered ON latest_consents (given_at) WHERE registered = 0 AND refused = 0 AND withdrawn_at IS NULL;

-- Consents that have ended and that the authority still has to forget. Nothing here says whose they were.
CREATE TABLE latest_ended (
    id TEXT PRIMARY KEY NOT NULL CHECK (id <> '')
) STRICT;

CREATE TABLE feeds (
    name         TEXT PRIMARY KEY NOT NULL CHECK (name <> ''),
    place        TEXT NOT NULL,
    read_at      INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE feeds;
DROP TABLE latest_ended;
DROP TABLE latest_consents;
ALTER TABLE logins DROP COLUMN sign_card;
