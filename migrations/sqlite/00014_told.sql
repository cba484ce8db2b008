-- What one sector has been told about one person's age, so that asking again brings no birthdate.

-- +goose Up
-- Which ages one sector has asked one person about, and when; ledger is sealed.
CREATE TABLE told (
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    sector     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    ledger     BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector)
) STRICT;
CREATE INDEX told_expires ON told (expires_at);

-- +goose Down
DROP TABLE told;
