-- Whom the operator trusts, what is switched off, what was asked and what was refused. Nothing here is about a person.

-- +goose Up
-- CA certificates that logins may hang under, DER, by SHA-256.
CREATE TABLE anchors (
    fingerprint BLOB PRIMARY KEY NOT NULL CHECK (length(fingerprint) = 32),
    purpose     TEXT NOT NULL CHECK (purpose IN ('authentication', 'signature')),
    certificate BLOB NOT NULL,
    name        TEXT NOT NULL,
    test        INTEGER NOT NULL CHECK (test IN (0, 1)),
    added_at    INTEGER NOT NULL
) STRICT;

-- What all replicas must agree on within a second, such as a disabled login method.
CREATE TABLE settings (
    name       TEXT PRIMARY KEY NOT NULL CHECK (name <> ''),
    value      TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- Revocation queries by month in Japan, relying party, purpose and unit price.
CREATE TABLE fees (
    month     TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]'),
    client_id TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    unit_yen  INTEGER NOT NULL,
    queries   INTEGER NOT NULL CHECK (queries > 0),
    PRIMARY KEY (month, client_id, purpose, unit_yen)
) STRICT, WITHOUT ROWID;

-- Refusals by the incident number that the person saw; no personal data.
CREATE TABLE audit (
    incident  TEXT PRIMARY KEY NOT NULL CHECK (incident <> ''),
    at        INTEGER NOT NULL,
    event     TEXT NOT NULL,
    code      TEXT NOT NULL,
    client_id TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at);

-- +goose Down
DROP TABLE audit;
DROP TABLE fees;
DROP TABLE settings;
DROP TABLE anchors;
