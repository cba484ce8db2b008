-- Tokens bound to a client's key (RFC 9449).

-- +goose Up
ALTER TABLE grants ADD COLUMN dpop_key BLOB;

-- +goose Down
ALTER TABLE grants DROP COLUMN dpop_key;
