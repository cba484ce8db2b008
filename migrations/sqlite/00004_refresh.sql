-- Refresh tokens. A token has two halves: one names its family for as long as that lives, the other changes at every use.

-- +goose Up
ALTER TABLE grants ADD COLUMN offline INTEGER NOT NULL DEFAULT 0 CHECK (offline IN (0, 1));
ALTER TABLE grants ADD COLUMN refresh_family BLOB;
ALTER TABLE grants ADD COLUMN refresh_hash BLOB;
ALTER TABLE grants ADD COLUMN refresh_expires INTEGER;
ALTER TABLE grants ADD COLUMN refresh_until INTEGER;
CREATE UNIQUE INDEX grants_by_family ON grants (refresh_family) WHERE refresh_family IS NOT NULL;

-- +goose Down
DROP INDEX grants_by_family;
ALTER TABLE grants DROP COLUMN refresh_until;
ALTER TABLE grants DROP COLUMN refresh_expires;
ALTER TABLE grants DROP COLUMN refresh_hash;
ALTER TABLE grants DROP COLUMN refresh_family;
ALTER TABLE grants DROP COLUMN offline;
