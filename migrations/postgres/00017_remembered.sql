-- Facts that a card said of a person once, where she lets them be remembered, and the browsers that bring them to mind.

-- +goose Up
CREATE TABLE fact_keys (
    account_id text PRIMARY KEY CHECK (account_id <> ''),
    fact_key   bytea NOT NULL,
    until      timestamptz NOT NULL
);
CREATE INDEX fact_keys_until ON fact_keys (until);
COMMENT ON TABLE fact_keys IS 'One random key per person, sealed, which alone opens her row of remembered. Keep it out of backups, or those short.';

CREATE TABLE remembered (
    account_id text PRIMARY KEY CHECK (account_id <> ''),
    acr        text NOT NULL,
    facts      bytea NOT NULL,
    until      timestamptz NOT NULL
);
CREATE INDEX remembered_until ON remembered (until);
COMMENT ON TABLE remembered IS 'Facts about one person, sealed under her key of fact_keys and once more; until is a fixed time after they were read.';

CREATE TABLE hints (
    hash       bytea PRIMARY KEY,
    account_id text NOT NULL CHECK (account_id <> ''),
    until      timestamptz NOT NULL
);
CREATE INDEX hints_by_account ON hints (account_id);
CREATE INDEX hints_until ON hints (until);
COMMENT ON TABLE hints IS 'Which browser brings whose memory to mind, by the hash of its cookie. It logs nobody in.';

-- +goose Down
DROP TABLE hints;
DROP TABLE remembered;
DROP TABLE fact_keys;
