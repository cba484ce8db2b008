-- Refresh tokens. A token has two halves: one names its family for as long as that lives, the other changes at every use.

-- +goose Up
ALTER TABLE grants
    ADD COLUMN offline         boolean NOT NULL DEFAULT false,
    ADD COLUMN refresh_family  bytea,
    ADD COLUMN refresh_hash    bytea,
    ADD COLUMN refresh_expires timestamptz,
    ADD COLUMN refresh_until   timestamptz;
CREATE UNIQUE INDEX grants_by_family ON grants (refresh_family) WHERE refresh_family IS NOT NULL;

-- +goose Down
DROP INDEX grants_by_family;
ALTER TABLE grants
    DROP COLUMN refresh_until,
    DROP COLUMN refresh_expires,
    DROP COLUMN refresh_hash,
    DROP COLUMN refresh_family,
    DROP COLUMN offline;
