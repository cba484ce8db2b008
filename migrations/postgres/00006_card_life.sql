-- The life of a card: what is kept of its certificate, when its authority was last asked, and what took its place.

-- +goose Up
ALTER TABLE credentials
    ADD COLUMN card         bytea,
    ADD COLUMN asked_at     timestamptz,
    ADD COLUMN asking_until timestamptz,
    ADD COLUMN replaced_at  timestamptz;
CREATE INDEX credentials_by_account ON credentials (account_id);
COMMENT ON TABLE credentials IS 'One authentication certificate, found by the HMAC of its serial, and the account it opens; card is sealed.';

ALTER TABLE logins ADD COLUMN card bytea;

CREATE INDEX grants_offline ON grants (account_id) WHERE offline AND revoked_at IS NULL;

CREATE TABLE link_consents (
    login_id   text NOT NULL,
    given_at   timestamptz NOT NULL,
    account_id text NOT NULL CHECK (account_id <> ''),
    client_id  text NOT NULL,
    wording    text NOT NULL CHECK (wording <> ''),
    taken_over boolean NOT NULL,
    PRIMARY KEY (login_id, given_at)
);
CREATE INDEX link_consents_by_account ON link_consents (account_id);
COMMENT ON TABLE link_consents IS 'One word of a person that the authority may be asked for the certificates before the present one.';

-- +goose Down
DROP TABLE link_consents;
DROP INDEX grants_offline;
ALTER TABLE logins DROP COLUMN card;
DROP INDEX credentials_by_account;
ALTER TABLE credentials
    DROP COLUMN replaced_at,
    DROP COLUMN asking_until,
    DROP COLUMN asked_at,
    DROP COLUMN card;
