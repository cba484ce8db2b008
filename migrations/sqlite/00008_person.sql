-- What a person sees and decides about herself: her sessions, what was shared with whom, and for how long that is kept.

-- +goose Up
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_by_account ON sessions (account_id);

ALTER TABLE consents ADD COLUMN texts TEXT NOT NULL DEFAULT '';

-- What was shared with whom, for the person's own eyes; entry is sealed, day is the day it happened on.
CREATE TABLE releases (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    day        INTEGER NOT NULL,
    entry      BLOB NOT NULL
) STRICT;
CREATE INDEX releases_by_account ON releases (account_id);
CREATE INDEX releases_by_day ON releases (day);

-- For how long one person wants her history to be kept, where it is not the usual time.
CREATE TABLE people (
    account_id TEXT PRIMARY KEY NOT NULL CHECK (account_id <> ''),
    keep_days  INTEGER NOT NULL CHECK (keep_days > 0)
) STRICT;

-- +goose Down
DROP TABLE people;
DROP TABLE releases;
ALTER TABLE consents DROP COLUMN texts;
DROP INDEX sessions_by_account;
ALTER TABLE sessions DROP COLUMN browser;
