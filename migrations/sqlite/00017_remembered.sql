-- Facts that a card said of a person once, where she lets them be remembered, and the browsers that bring them to mind.

-- +goose Up
-- One random key per person, sealed, which alone opens her row of remembered. Keep it out of backups, or those short.
CREATE TABLE fact_keys (
    account_id TEXT PRIMARY KEY CHECK (account_id <> ''),
    fact_key   BLOB NOT NULL,
    until      INTEGER NOT NULL
) STRICT;
CREATE INDEX fact_keys_until ON fact_keys (until);

-- Facts about one person, sealed under her key of fact_keys and once more; until is a fixed time after they were read.
CREATE TABLE remembered (
    account_id TEXT PRIMARY KEY CHECK (account_id <> ''),
    acr        TEXT NOT NULL,
    facts      BLOB NOT NULL,
    until      INTEGER NOT NULL
) STRICT;
CREATE INDEX remembered_until ON remembered (until);

-- Which browser brings whose memory to mind, by the hash of its cookie. It logs nobody in.
CREATE TABLE hints (
    hash       BLOB PRIMARY KEY,
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    until      INTEGER NOT NULL
) STRICT;
CREATE INDEX hints_by_account ON hints (account_id);
CREATE INDEX hints_until ON hints (until);

-- +goose Down
DROP TABLE hints;
DROP TABLE remembered;
DROP TABLE fact_keys;
