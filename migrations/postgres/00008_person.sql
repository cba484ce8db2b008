-- What a person sees and decides about herself: her sessions, what was shared with whom, and for how long that is kept.

-- +goose Up
ALTER TABLE sessions ADD COLUMN browser text NOT NULL DEFAULT '';
CREATE INDEX sessions_by_account ON sessions (account_id);

ALTER TABLE consents ADD COLUMN texts text NOT NULL DEFAULT '';

CREATE TABLE releases (
    id         text PRIMARY KEY CHECK (id <> ''),
    account_id text NOT NULL,
    day        timestamptz NOT NULL,
    entry      bytea NOT NULL
);
CREATE INDEX releases_by_account ON releases (account_id);
CREATE INDEX releases_by_day ON releases (day);
COMMENT ON TABLE releases IS 'What was shared with whom, for the person''s own eyes; entry is sealed, day is the day it happened on.';

CREATE TABLE people (
    account_id text PRIMARY KEY CHECK (account_id <> ''),
    keep_days  bigint NOT NULL CHECK (keep_days > 0)
);
COMMENT ON TABLE people IS 'For how long one person wants her history to be kept, where it is not the usual time.';

-- +goose Down
DROP TABLE people;
DROP TABLE releases;
ALTER TABLE consents DROP COLUMN texts;
DROP INDEX sessions_by_account;
ALTER TABLE sessions DROP COLUMN browser;
