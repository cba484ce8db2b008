-- The records of package storage. Times are microseconds since 1970-01-01 UTC, documents are JSON text. An absent time or
-- hash is NULL, an absent text is ''. No foreign keys: see the PostgreSQL timeline, which this one follows.

-- +goose Up
-- One registered relying party; metadata holds RFC 7591 names and the SHA-256 of each secret.
CREATE TABLE clients (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    metadata   TEXT NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- One authorization request being answered in one browser; facts is sealed.
CREATE TABLE logins (
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
    failure            TEXT NOT NULL
) STRICT;

-- One authentication certificate, known only by the HMAC of its serial, and the account it opens.
CREATE TABLE credentials (
    cert_index BLOB PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL CHECK (account_id <> ''),
    seen_at    INTEGER NOT NULL
) STRICT;

-- The pairwise subject under which one account is known in one sector, fixed for ever at first use.
CREATE TABLE subjects (
    account_id TEXT NOT NULL,
    sector     TEXT NOT NULL,
    subject    TEXT NOT NULL CHECK (subject <> ''),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, sector),
    UNIQUE (sector, subject)
) STRICT;

-- The names (no values) of what one account agreed to release to one client.
CREATE TABLE consents (
    account_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    items      TEXT NOT NULL,
    given_at   INTEGER NOT NULL,
    PRIMARY KEY (account_id, client_id)
) STRICT;

-- One living SSO session of one browser, known by the hash of its cookie; facts is sealed.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    account_id TEXT NOT NULL,
    auth_time  INTEGER NOT NULL,
    acr        TEXT NOT NULL,
    amr        TEXT,
    facts      BLOB,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- One answered login: its authorization code, then its access token, both as hashes; id_token and user_info are sealed.
CREATE TABLE grants (
    id             TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    client_id      TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    session_id     TEXT NOT NULL,
    subject        TEXT NOT NULL,
    scopes         TEXT,
    nonce          TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    auth_time      INTEGER,
    acr            TEXT NOT NULL,
    amr            TEXT,
    tell_auth_time INTEGER NOT NULL CHECK (tell_auth_time IN (0, 1)),
    id_token       BLOB,
    user_info      BLOB,
    code_hash      BLOB NOT NULL UNIQUE,
    code_expires   INTEGER NOT NULL,
    redeemed_at    INTEGER,
    access_hash    BLOB UNIQUE,
    access_expires INTEGER,
    revoked_at     INTEGER,
    created_at     INTEGER NOT NULL,
    CHECK ((redeemed_at IS NULL) = (access_hash IS NULL)),
    CHECK ((redeemed_at IS NULL) = (access_expires IS NULL))
) STRICT;
CREATE INDEX grants_by_session ON grants (session_id);

-- One key of the provider's ring; private is PKCS #8, sealed.
CREATE TABLE signing_keys (
    id          TEXT PRIMARY KEY NOT NULL CHECK (id <> ''),
    alg         TEXT NOT NULL,
    private     BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    activate_at INTEGER NOT NULL,
    retire_at   INTEGER
) STRICT;

-- +goose Down
DROP TABLE signing_keys;
DROP TABLE grants;
DROP TABLE sessions;
DROP TABLE consents;
DROP TABLE subjects;
DROP TABLE credentials;
DROP TABLE logins;
DROP TABLE clients;
