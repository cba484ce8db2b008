-- The rows that every login writes cost less to write.
--
-- A CHECK is read from the catalogue and compiled again by every statement that writes to its table: together that was a
-- fifth of what a login cost the database. These said only what the program cannot do otherwise: its ids are random and its
-- states are constants. NOT NULL and UNIQUE cost next to nothing and stay.
-- Each index is one more page to find, change and log. No statement looks for these any more, or a smaller one serves it too.

-- +goose Up
ALTER TABLE logins DROP CONSTRAINT logins_id_check, DROP CONSTRAINT logins_state_check;
ALTER TABLE logins SET (fillfactor = 50); -- a login is rewritten five times: room for that in its own page spares the index
ALTER TABLE credentials DROP CONSTRAINT credentials_account_id_check;
ALTER TABLE subjects DROP CONSTRAINT subjects_subject_check;
ALTER TABLE sessions DROP CONSTRAINT sessions_id_check;
ALTER TABLE told DROP CONSTRAINT told_account_id_check;

ALTER TABLE grants
    DROP CONSTRAINT grants_id_check,
    DROP CONSTRAINT grants_check,
    DROP CONSTRAINT grants_check1,
    DROP CONSTRAINT grants_pkey,
    DROP CONSTRAINT grants_access_hash_key,
    DROP CONSTRAINT grants_code_hash_key,
    ADD CONSTRAINT grants_pkey PRIMARY KEY (code_hash);
CREATE UNIQUE INDEX grants_by_access ON grants (access_hash) WHERE access_hash IS NOT NULL;

ALTER TABLE releases
    DROP CONSTRAINT releases_id_check,
    DROP CONSTRAINT releases_pkey,
    ADD CONSTRAINT releases_pkey PRIMARY KEY (account_id, id);
DROP INDEX releases_by_account;

-- Both are for sweeping, and grow in the order of time, or nearly.
DROP INDEX releases_by_day;
CREATE INDEX releases_by_day ON releases USING brin (day);
DROP INDEX told_expires;
CREATE INDEX told_expires ON told USING brin (expires_at);

-- +goose Down
DROP INDEX told_expires;
CREATE INDEX told_expires ON told (expires_at);
DROP INDEX releases_by_day;
CREATE INDEX releases_by_day ON releases (day);

CREATE INDEX releases_by_account ON releases (account_id);
ALTER TABLE releases
    DROP CONSTRAINT releases_pkey,
    ADD CONSTRAINT releases_pkey PRIMARY KEY (id),
    ADD CONSTRAINT releases_id_check CHECK (id <> '');

DROP INDEX grants_by_access;
ALTER TABLE grants
    DROP CONSTRAINT grants_pkey,
    ADD CONSTRAINT grants_code_hash_key UNIQUE (code_hash),
    ADD CONSTRAINT grants_access_hash_key UNIQUE (access_hash),
    ADD CONSTRAINT grants_pkey PRIMARY KEY (id),
    ADD CONSTRAINT grants_id_check CHECK (id <> ''),
    ADD CONSTRAINT grants_check CHECK ((redeemed_at IS NULL) = (access_hash IS NULL)),
    ADD CONSTRAINT grants_check1 CHECK ((redeemed_at IS NULL) = (access_expires IS NULL));

ALTER TABLE told ADD CONSTRAINT told_account_id_check CHECK (account_id <> '');
ALTER TABLE sessions ADD CONSTRAINT sessions_id_check CHECK (id <> '');
ALTER TABLE subjects ADD CONSTRAINT subjects_subject_check CHECK (subject <> '');
ALTER TABLE credentials ADD CONSTRAINT credentials_account_id_check CHECK (account_id <> '');
ALTER TABLE logins RESET (fillfactor);
ALTER TABLE logins
    ADD CONSTRAINT logins_id_check CHECK (id <> ''),
    ADD CONSTRAINT logins_state_check CHECK (state IN
        ('created', 'waiting', 'claimed', 'verified', 'returned', 'answered', 'cancelled', 'failed', 'burned'));
