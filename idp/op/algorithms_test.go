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
