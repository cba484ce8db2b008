-- Dynamic registration (RFC 7591).

-- +goose Up
-- One initial access token, known by its hash: who holds it may register as many clients as it has uses.
CREATE TABLE initial_tokens (
    hash       BLOB PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL UNIQUE CHECK (name <> ''),
    uses       INTEGER NOT NULL CHECK (uses >= 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE initial_tokens;
