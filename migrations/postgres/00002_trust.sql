-- Whom the operator trusts, what is switched off, what was asked and what was refused. Nothing here is about a person.

-- +goose Up
CREATE TABLE anchors (
    fingerprint bytea PRIMARY KEY CHECK (length(fingerprint) = 32),
    purpose     text NOT NULL CHECK (purpose IN ('authentication', 'signature')),
    certificate bytea NOT NULL,
    name        text NOT NULL,
    test        boolean NOT NULL,
    added_at    timestamptz NOT NULL
);
COMMENT ON TABLE anchors IS 'CA certificates that logins may hang under, DER, by SHA-256.';

CREATE TABLE settings (
    name       text PRIMARY KEY CHECK (name <> ''),
    value      text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE settings IS 'What all replicas must agree on within a second, such as a disabled login method.';

CREATE TABLE fees (
    month     text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    client_id text NOT NULL,
    purpose   text NOT NULL,
    unit_yen  bigint NOT NULL,
    queries   bigint NOT NULL CHECK (queries > 0),
    PRIMARY KEY (month, client_id, purpose, unit_yen)
);
COMMENT ON TABLE fees IS 'Revocation queries by month in Japan, relying party, purpose and unit price.';

CREATE TABLE audit (
    incident  text PRIMARY KEY CHECK (incident <> ''),
    at        timestamptz NOT NULL,
    event     text NOT NULL,
    code      text NOT NULL,
    client_id text NOT NULL
);
CREATE INDEX audit_at ON audit (at);
COMMENT ON TABLE audit IS 'Refusals by the incident number that the person saw; no personal data.';

-- +goose Down
DROP TABLE audit;
DROP TABLE fees;
DROP TABLE settings;
DROP TABLE anchors;
