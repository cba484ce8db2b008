-- The records of package storage. Documents are json, not jsonb: nothing searches inside them, json keeps them byte
-- for byte, and jsonb refuses the \u0000 that a foreign state parameter may carry. An absent time or hash is NULL, an
-- absent text is ''. No foreign keys: clients are never deleted, and a check per row would lock the client's row in every login.

-- +goose Up
CREATE TABLE clients (
    id         text PRIMARY KEY CHECK (id <> ''),
    metadata   json NOT NULL,
    disabled   boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE clients IS 'One registered relying party; metadata holds RFC 7591 names and the SHA-256 of each secret.';

CREATE TABLE logins (
    id                 text PRIMARY KEY CHECK (id <> ''),
    version            bigint NOT NULL,
    state              text NOT NULL CHECK (state IN
        ('created', 'waiting', 'claimed', 'verified', 'returned', 'answered', 'cancelled', 'failed', 'burned')),
    client_id          text NOT NULL,
    request            json NOT NULL,
    browser_hash       bytea,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    ticket_hash        bytea,
    ticket_expires     timestamptz,
    ticket_serial      bigint NOT NULL,
    agent_key          bytea,
    agent_version      text NOT NULL,
    return_to          text NOT NULL,
    nonce              bytea,
    number             text NOT NULL,
    progress           text NOT NULL,
    tries              bigint NOT NULL,
    account_id         text NOT NULL,
    auth_time          timestamptz,
    acr                text NOT NULL,
    amr                json,
    facts              bytea,
    completion_hash    bytea,
    completion_expires timestamptz,
    session_id         text NOT NULL,
    failure            text NOT NULL
);
COMMENT ON TABLE logins IS 'One authorization request being answered in one browser; facts is sealed.';

CREATE TABLE credentials (
    cert_index bytea PRIMARY KEY,
    account_id text NOT NULL CHECK (account_id <> ''),
    seen_at    timestamptz NOT NULL
);
COMMENT ON TABLE credentials IS 'One authentication certificate, known only by the HMAC of its serial, and the account it opens.';

CREATE TABLE subjects (
    account_id text NOT NULL,
    sector     text NOT NULL,
    subject    text NOT NULL CHECK (subject <> ''),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, sector),
    UNIQUE (sector, subject)
);
COMMENT ON TABLE subjects IS 'The pairwise subject under which one account is known in one sector, fixed for ever at first use.';

CREATE TABLE consents (
    account_id text NOT NULL,
    client_id  text NOT NULL,
    items      json NOT NULL,
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, client_id)
);
COMMENT ON TABLE consents IS 'The names (no values) of what one account agreed to release to one client.';

CREATE TABLE sessions (
    id         text PRIMARY KEY CHECK (id <> ''),
    account_id text NOT NULL,
    auth_time  timestamptz NOT NULL,
    acr        text NOT NULL,
    amr        json,
    facts      bytea,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sessions IS 'One living SSO session of one browser, known by the hash of its cookie; facts is sealed.';

CREATE TABLE grants (
    id             text PRIMARY KEY CHECK (id <> ''),
    client_id      text NOT NULL,
    account_id     text NOT NULL,
    session_id     text NOT NULL,
    subject        text NOT NULL,
    scopes         json,
    nonce          text NOT NULL,
    redirect_uri   text NOT NULL,
    code_challenge text NOT NULL,
    auth_time      timestamptz,
    acr            text NOT NULL,
    amr            json,
    tell_auth_time boolean NOT NULL,
    id_token       bytea,
    user_info      bytea,
    code_hash      bytea NOT NULL UNIQUE,
    code_expires   timestamptz NOT NULL,
    redeemed_at    timestamptz,
    access_hash    bytea UNIQUE,
    access_expires timestamptz,
    revoked_at     timestamptz,
    created_at     timestamptz NOT NULL,
    CHECK ((redeemed_at IS NULL) = (access_hash IS NULL)),
    CHECK ((redeemed_at IS NULL) = (access_expires IS NULL))
);
CREATE INDEX grants_by_session ON grants (session_id);
COMMENT ON TABLE grants IS 'One answered login: its authorization code, then its access token, both as hashes; id_token and user_info are sealed.';

CREATE TABLE signing_keys (
    id          text PRIMARY KEY CHECK (id <> ''),
    alg         text NOT NULL,
    private     bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    activate_at timestamptz NOT NULL,
    retire_at   timestamptz
);
COMMENT ON TABLE signing_keys IS 'One key of the provider''s ring; private is PKCS #8, sealed.';

-- +goose Down
DROP TABLE signing_keys, grants, sessions, consents, subjects, credentials, logins, clients;
