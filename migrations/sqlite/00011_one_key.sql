-- One signing key of each algorithm has no end, whoever changes keys at the same moment.

-- +goose Up
UPDATE signing_keys SET retire_at = (
    SELECT max(newer.activate_at) FROM signing_keys AS newer WHERE newer.alg = signing_keys.alg AND newer.retire_at IS NULL
) WHERE retire_at IS NULL AND EXISTS (
    SELECT 1 FROM signing_keys AS newer WHERE newer.alg = signing_keys.alg AND newer.retire_at IS NULL
        AND (newer.activate_at > signing_keys.activate_at OR newer.activate_at = signing_keys.activate_at AND newer.id > signing_keys.id)
);
CREATE UNIQUE INDEX signing_keys_open ON signing_keys (alg) WHERE retire_at IS NULL;

-- +goose Down
DROP INDEX signing_keys_open;
