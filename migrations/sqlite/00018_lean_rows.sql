-- The rows that every login writes cost less to write: in SQLite that is the number of pages that a commit has to log.
-- A table WITHOUT ROWID is its own first index. That suits rows which are small and not rewritten; logins and grants are
-- neither. Indexes that no statement looks for any more are gone, and so is the list of states, which is built anew for every
-- row that is checked against it: the program has them as constants. Columns keep their order, so SELECT * copies them.

-- +goose Up
CREATE TABLE new_logins (
    id                 TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    version            INTEGER NOT NULL,
    state              TEXT NOT NULL,
    client_id          TEXT NOT NULL,
    request            TEXT NOT NULL,
    browser_hash       BLOB,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    ticket_hash        BLOB,
    ticket_expires     INTEGER,
    ticket_serial      INTEGER NOT NULL,
    agent_key          BLOB,
    agent_version      TEXT NOT NULL,
    return_to          TEXT NOT NULL,
    nonce              BLOB,
    number             TEXT NOT NULL,
    progress           TEXT NOT NULL,
    tries              INTEGER NOT NULL,
    account_id         TEXT NOT NULL,
    auth_time          INTEGER,
    acr                TEXT NOT NULL,
    amr                TEXT,
    facts              BLOB,
    completion_hash    BLOB,
    completion_expires INTEGER,
    session_id         TEXT NOT NULL,
    failure            TEXT NOT NULL,
    card               BLOB,
    sign_card          BLOB
) STRICT;
INSERT INTO new_logins SELECT * FROM logins;
DROP TABLE logins;
ALTER TABLE new_logins RENAME TO logins;

CREATE TABLE new_grants (
    id              TEXT NOT NULL CHECK (id <> ''),
    client_id       TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    subject         TEXT NOT NULL,
    scopes          TEXT,
    nonce           TEXT NOT NULL,
    redirect_uri    TEXT NOT NULL,
    code_challenge  TEXT NOT NULL,
    auth_time       INTEGER,
    acr             TEXT NOT NULL,
    amr             TEXT,
    tell_auth_time  INTEGER NOT NULL CHECK (tell_auth_time IN (0, 1)),
    id_token        BLOB,
    user_info       BLOB,
    code_hash       BLOB PRIMARY KEY NOT NULL,
    code_expires    INTEGER NOT NULL,
    redeemed_at     INTEGER,
    access_hash     BLOB,
    access_expires  INTEGER,
    revoked_at      INTEGER,
    created_at      INTEGER NOT NULL,
    certificate     BLOB,
    offline         INTEGER NOT NULL DEFAULT 0 CHECK (offline IN (0, 1)),
    refresh_family  BLOB,
    refresh_hash    BLOB,
    refresh_expires INTEGER,
    refresh_until   INTEGER,
    dpop_key        BLOB,
    sid             TEXT NOT NULL DEFAULT '',
    CHECK ((redeemed_at IS NULL) = (access_hash IS NULL)),
    CHECK ((redeemed_at IS NULL) = (access_expires IS NULL))
) STRICT;
INSERT INTO new_grants SELECT * FROM grants;
DROP TABLE grants;
ALTER TABLE new_grants RENAME TO grants;
CREATE UNIQUE INDEX grants_by_access ON grants (access_hash) WHERE access_hash IS NOT NULL;
CREATE INDEX grants_by_session ON grants (session_id);
CREATE UNIQUE INDEX grants_by_family ON grants (refresh_family) WHERE refresh_family IS NOT NULL;
CREATE INDEX grants_offline ON grants (account_id) WHERE offline AND revoked_at IS NULL;

CREATE TABLE new_sessions (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    auth_time  INTEGER NOT NULL,
    acr        TEXT NOT NULL,
    amr        TEXT,
    facts      BLOB,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    browser    TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
INSERT INTO new_sessions SELECT * FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE new_subjects (
    account_id TEXT NOT NULL,
    sector     TEXT NOT NULL,
    subject    TEXT NOT NULL CHECK (subject <> ''),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector),
    UNIQUE (sector, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO new_subjects SELECT * FROM subjects;
DROP TABLE subjects;
ALTER TABLE new_subjects RENAME TO subjects;

CREATE TABLE new_consents (
    account_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    items      TEXT NOT NULL,
    given_at   INTEGER NOT NULL,
    texts      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, client_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_consents SELECT * FROM consents;
DROP TABLE consents;
ALTER TABLE new_consents RENAME TO consents;

CREATE TABLE new_told (
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    sector     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    ledger     BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector)
) STRICT, WITHOUT ROWID;
INSERT INTO new_told SELECT * FROM told;
DROP TABLE told;
ALTER TABLE new_told RENAME TO told;
CREATE INDEX told_expires ON told (expires_at);

CREATE TABLE new_releases (
    id         TEXT NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    day        INTEGER NOT NULL,
    entry      BLOB NOT NULL,
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_releases SELECT * FROM releases;
DROP TABLE releases;
ALTER TABLE new_releases RENAME TO releases;
CREATE INDEX releases_by_day ON releases (day);

-- +goose Down
CREATE TABLE new_releases (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    day        INTEGER NOT NULL,
    entry      BLOB NOT NULL
) STRICT;
INSERT INTO new_releases SELECT * FROM releases;
DROP TABLE releases;
ALTER TABLE new_releases RENAME TO releases;
CREATE INDEX releases_by_account ON releases (account_id);
CREATE INDEX releases_by_day ON releases (day);

CREATE TABLE new_told (
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    sector     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    ledger     BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector)
) STRICT;
INSERT INTO new_told SELECT * FROM told;
DROP TABLE told;
ALTER TABLE new_told RENAME TO told;
CREATE INDEX told_expires ON told (expires_at);

CREATE TABLE new_consents (
    account_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    items      TEXT NOT NULL,
    given_at   INTEGER NOT NULL,
    texts      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, client_id)
) STRICT;
INSERT INTO new_consents SELECT * FROM consents;
DROP TABLE consents;
ALTER TABLE new_consents RENAME TO consents;

CREATE TABLE new_subjects (
    account_id TEXT NOT NULL,
    sector     TEXT NOT NULL,
    subject    TEXT NOT NULL CHECK (subject <> ''),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector),
    UNIQUE (sector, subject)
) STRICT;
INSERT INTO new_subjects SELECT * FROM subjects;
DROP TABLE subjects;
ALTER TABLE new_subjects RENAME TO subjects;

CREATE TABLE new_sessions (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    auth_time  INTEGER NOT NULL,
    acr        TEXT NOT NULL,
    amr        TEXT,
    facts      BLOB,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    browser    TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO new_sessions SELECT * FROM sessions;
DROP TABLE sessions;
ALTER TABLE new_sessions RENAME TO sessions;
CREATE INDEX sessions_by_account ON sessions (account_id);

CREATE TABLE new_grants (
    id              TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    client_id       TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    subject         TEXT NOT NULL,
    scopes          TEXT,
    nonce           TEXT NOT NULL,
    redirect_uri    TEXT NOT NULL,
    code_challenge  TEXT NOT NULL,
    auth_time       INTEGER,
    acr             TEXT NOT NULL,
    amr             TEXT,
    tell_auth_time  INTEGER NOT NULL CHECK (tell_auth_time IN (0, 1)),
    id_token        BLOB,
    user_info       BLOB,
    code_hash       BLOB NOT NULL UNIQUE,
    code_expires    INTEGER NOT NULL,
    redeemed_at     INTEGER,
    access_hash     BLOB UNIQUE,
    access_expires  INTEGER,
    revoked_at      INTEGER,
    created_at      INTEGER NOT NULL,
    certificate     BLOB,
    offline         INTEGER NOT NULL DEFAULT 0 CHECK (offline IN (0, 1)),
    refresh_family  BLOB,
    refresh_hash    BLOB,
    refresh_expires INTEGER,
    refresh_until   INTEGER,
    dpop_key        BLOB,
    sid             TEXT NOT NULL DEFAULT '',
    CHECK ((redeemed_at IS NULL) = (access_hash IS NULL)),
    CHECK ((redeemed_at IS NULL) = (access_expires IS NULL))
) STRICT;
INSERT INTO new_grants SELECT * FROM grants;
DROP TABLE grants;
ALTER TABLE new_grants RENAME TO grants;
CREATE INDEX grants_by_session ON grants (session_id);
CREATE UNIQUE INDEX grants_by_family ON grants (refresh_family) WHERE refresh_family IS NOT NULL;
CREATE INDEX grants_offline ON grants (account_id) WHERE offline AND revoked_at IS NULL;

CREATE TABLE new_logins (
    id                 TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    version            INTEGER NOT NULL,
    state              TEXT NOT NULL CHECK (state IN
        ('created', 'waiting', 'claimed', 'verified', 'returned', 'answered', 'cancelled', 'failed', 'burned')),
    client_id          TEXT NOT NULL,
    request            TEXT NOT NULL,
    browser_hash       BLOB,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    ticket_hash        BLOB,
    ticket_expires     INTEGER,
    ticket_serial      INTEGER NOT NULL,
    agent_key          BLOB,
    agent_version      TEXT NOT NULL,
    return_to          TEXT NOT NULL,
    nonce              BLOB,
    number             TEXT NOT NULL,
    progress           TEXT NOT NULL,
    tries              INTEGER NOT NULL,
    account_id         TEXT NOT NULL,
    auth_time          INTEGER,
    acr                TEXT NOT NULL,
    amr                TEXT,
    facts              BLOB,
    completion_hash    BLOB,
    completion_expires INTEGER,
    session_id         TEXT NOT NULL,
    failure            TEXT NOT NULL,
    card               BLOB,
    sign_card          BLOB
) STRICT;
INSERT INTO new_logins SELECT * FROM logins;
DROP TABLE logins;
ALTER TABLE new_logins RENAME TO logins;
