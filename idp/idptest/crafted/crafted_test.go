package crafted_test

import (
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/idptest/crafted"
)

func mold(keyed bool) crafted.Mold {
	m := crafted.Mold{Header: crafted.Members{"alg": "ES256"}, Key: crafted.NewKey(), Keyed: keyed, Types: map[string]bool{"at+jwt": true},
		Claims: func() crafted.Members { return crafted.Members{"sub": "somebody"} }}
	if keyed {
		m.Header["jwk"] = crafted.JWK(m.Key)
	}
	return m
}

func TestGoodTokensAreGood(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		m := mold(keyed)
		jws, err := jose.ParseSignedCompact(m.Good(), []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		var key any = m.Key.Public()
		if keyed {
			key = jws.Signatures[0].Protected.JSONWebKey
		}
		if payload, err := jws.Verify(key); err != nil || string(payload) != `{"sub":"somebody"}` {
			t.Errorf("keyed %v: %s, %v", keyed, payload, err)
		}
	}
}

// The acceptance figure is 40; what is crafted is for everyone, so nothing may be in it that is right somewhere.
func TestThereAreEnoughAndEachIsItsOwn(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		all, seen := mold(keyed).Tokens(), map[string]string{}
		for name, compact := range all {
			if other := seen[compact]; other != "" {
				t.Errorf("%q is the same as %q", name, other)
			}
			seen[compact] = name
		}
		if len(all) < 100 || all["the type at+jwt"] != "" || (all["its own key"] == "") != keyed {
			t.Errorf("%d tokens, keyed %v", len(all), keyed)
		}
	}
	m := mold(false)
	if parts := strings.Split(m.Tokens()["no signature"], "."); len(parts) != 3 || parts[2] != "" {
		t.Errorf("no signature: %q", parts)
	}
}
