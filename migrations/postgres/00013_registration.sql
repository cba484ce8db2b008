-- Dynamic registration (RFC 7591).

-- +goose Up
CREATE TABLE initial_tokens (
    hash       bytea PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (name <> ''),
    uses       bigint NOT NULL CHECK (uses >= 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE initial_tokens IS 'One initial access token, known by its hash: who holds it may register as many clients as it has uses.';

-- +goose Down
DROP TABLE initial_tokens;
