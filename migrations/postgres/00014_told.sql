-- What one sector has been told about one person's age, so that asking again brings no birthdate.

-- +goose Up
CREATE TABLE told (
    account_id text NOT NULL CHECK (account_id <> ''),
    sector     text NOT NULL,
    version    bigint NOT NULL,
    ledger     bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, sector)
);
CREATE INDEX told_expires ON told (expires_at);
COMMENT ON TABLE told IS 'Which ages one sector has asked one person about, and when; ledger is sealed.';

-- +goose Down
DROP TABLE told;
