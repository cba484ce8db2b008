package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"tegata/idp/clients"
	"tegata/storage/storagetest"
)

// Changes are as secret as the attributes were: who has ID tokens or userinfo encrypted gets them encrypted too.
func TestAChangeIsEncryptedForWhoHasAttributesEncrypted(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "seal", Use: "enc", Algorithm: "ECDH-ES"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, seal := range map[string]func(*clients.Metadata){
		"ID tokens":      func(m *clients.Metadata) { m.IDTokenEncAlg, m.IDTokenEnc = "ECDH-ES", "A256GCM" },
		"userinfo alone": func(m *clients.Metadata) { m.UserInfoEncAlg, m.UserInfoEnc = "ECDH-ES", "A256GCM" },
	} {
		t.Run(name, func(t *testing.T) {
			w := openChanging(t, storagetest.SQLite(t), fourItems, func(m *clients.Metadata) { m.JWKS = set }, seal)
			who := w.person(t)
			r, b := w.rp.Request(), w.NewBrowser()
			if w.Answered(b.Submit(w.consent(t, b, who, r).Form("/consent"), "latest=agree"), r).Get("code") == "" {
				t.Fatal("no answer")
			}
			w.round(t)
			w.move(t, who, "東京都千代田区手形町七丁目７番７号")
			w.round(t)
			if len(w.heard) != 1 || strings.Count(w.heard[0], ".") != 4 {
				t.Fatalf("%d messages, not one that is encrypted", len(w.heard))
			}
			sealed, err := jose.ParseEncryptedCompact(w.heard[0], []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
			if err != nil {
				t.Fatal(err)
			}
			signed, err := sealed.Decrypt(key)
			if err != nil {
				t.Fatal(err)
			}
			w.heard[0] = string(signed)
			if got := w.messages(t); len(got) != 1 || got[0]["address"] == nil || got[0]["aud"] != "shop" {
				t.Errorf("inside it says %v", got)
			}
		})
	}
}
