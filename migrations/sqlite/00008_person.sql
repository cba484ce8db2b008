-- What a person sees and decides about herself: her sessions, what was shared with whom, and facts that she lets us remember.

-- +goose Up
ALTER TABLE sessions ADD COLUMN browser TEXT NOT NULL DEFAULT '';
CREATE INDEX sessions_by_account ON sessions (account_id);

-- +goose Down
DROP INDEX sessions_by_account;
ALTER TABLE sessions DROP COLUMN browser;
