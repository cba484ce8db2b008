-- Pushed authorization requests, one-time things of others, and tokens bound to a client certificate.

-- +goose Up
CREATE TABLE pushed (
    hash       bytea PRIMARY KEY,
    client_id  text NOT NULL,
    params     bytea,
    expires_at timestamptz NOT NULL
);
CREATE INDEX pushed_expires ON pushed (expires_at);
COMMENT ON TABLE pushed IS 'One authorization request behind a request_uri (RFC 9126), known by its hash; params is sealed.';

CREATE TABLE spent (
    hash  bytea PRIMARY KEY,
    until timestamptz NOT NULL
);
CREATE INDEX spent_until ON spent (until);
COMMENT ON TABLE spent IS 'What was used and must not be used again: answered request_uris, the jti of assertions. Rows go when the thing expires.';

ALTER TABLE grants ADD COLUMN certificate bytea;

-- +goose Down
ALTER TABLE grants DROP COLUMN certificate;
DROP TABLE spent;
DROP TABLE pushed;
