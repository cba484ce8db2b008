package op_test

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/idptest"
)

// published is the provider's key set.
func published(t *testing.T, w *idptest.World) jose.JSONWebKeySet {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(get(t, w.Issuer+"/oauth/jwks").Body), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// knownOfKeys is what discovery may say of keys and algorithms, besides known.
var knownOfKeys = []string{
	"userinfo_signing_alg_values_supported", "id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported",
	"userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported", "authorization_encryption_alg_values_supported",
	"authorization_encryption_enc_values_supported", "introspection_encryption_alg_values_supported", "introspection_encryption_enc_values_supported",
	"mtls_endpoint_aliases",
}
