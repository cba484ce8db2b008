-- Pushed authorization requests, one-time things of others, and tokens bound to a client certificate.

-- +goose Up
-- One authorization request behind a request_uri (RFC 9126), known by its hash; params is sealed.
CREATE TABLE pushed (
    hash       BLOB PRIMARY KEY NOT NULL,
    client_id  TEXT NOT NULL,
    params     BLOB,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX pushed_expires ON pushed (expires_at);

-- What was used and must not be used again: answered request_uris, the jti of assertions. Rows go when the thing expires.
CREATE TABLE spent (
    hash  BLOB PRIMARY KEY NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX spent_until ON spent (until);

ALTER TABLE grants ADD COLUMN certificate BLOB;

-- +goose Down
ALTER TABLE grants DROP COLUMN certificate;
DROP TABLE spent;
DROP TABLE pushed;
