-- The life of a card: what is kept of its certificate, when its authority was last asked, and what took its place.

-- +goose Up
ALTER TABLE credentials ADD COLUMN card BLOB;
ALTER TABLE credentials ADD COLUMN asked_at INTEGER;
ALTER TABLE credentials ADD COLUMN asking_until INTEGER;
ALTER TABLE credentials ADD COLUMN replaced_at INTEGER;
CREATE INDEX credentials_by_account ON credentials (account_id);

ALTER TABLE logins ADD COLUMN card BLOB;

CREATE INDEX grants_offline ON grants (account_id) WHERE offline AND revoked_at IS NULL;

CREATE TABLE link_consents (
    login_id   TEXT NOT NULL,
    given_at   INTEGER NOT NULL,
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    client_id  TEXT NOT NULL,
    wording    TEXT NOT NULL CHECK (wording <> ''),
    taken_over INTEGER NOT NULL CHECK (taken_over IN (0, 1)),
    PRIMARY KEY (login_id, given_at)
) STRICT;
CREATE INDEX link_consents_by_account ON link_consents (account_id);

-- +goose Down
DROP TABLE link_consents;
DROP INDEX grants_offline;
ALTER TABLE logins DROP COLUMN card;
DROP INDEX credentials_by_account;
ALTER TABLE credentials DROP COLUMN replaced_at;
ALTER TABLE credentials DROP COLUMN asking_until;
ALTER TABLE credentials DROP COLUMN asked_at;
ALTER TABLE credentials DROP COLUMN card;
