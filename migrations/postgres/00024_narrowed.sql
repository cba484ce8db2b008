-- What the present access token is for, where its client asked for less than it may have (RFC 6749 section 6).

-- +goose Up
ALTER TABLE grants ADD COLUMN access_scopes json;

-- +goose Down
ALTER TABLE grants DROP COLUMN access_scopes;
