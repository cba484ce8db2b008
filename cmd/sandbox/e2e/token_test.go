package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"tegata/cmd/sandbox/cards"
)

// token is a verified ID token.
type token struct {
	*oidc.IDToken
	raw    string
	claims map[string]any
}

// tokens redeems a code as a relying party does and verifies the ID token with the sandbox's own time.
func (w *world) tokens(t testing.TB, id, code string) token {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.Clients {
		if c.ID != id {
			continue
		}
		config := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: c.RedirectURIs[0], Endpoint: provider.Endpoint()}
		config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
		answer, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := answer.Extra("id_token").(string)
		return w.verify(t, id, raw, w.clock(t))
	}
	t.Fatalf("there is no client %s", id)
	return token{}
}

func (w *world) verify(t testing.TB, id, raw string, now time.Time) token {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := provider.VerifierContext(context.Background(), &oidc.Config{
		ClientID: id, Now: func() time.Time { return now }, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	tok := token{IDToken: verified, raw: raw}
	if err := verified.Claims(&tok.claims); err != nil || verified.Nonce != "n1" {
		t.Fatalf("nonce %q, %v", verified.Nonce, err)
	}
	return tok
}

func (w *world) clock(t testing.TB) time.Time {
	t.Helper()
	now, err := cards.Clock(t.Context(), http.DefaultClient, w.Cards)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// The clock of a sandbox runs, so a row of the last second of a day would pass midnight on the way: it starts some minutes
// earlier, where the published answer is the same. The instant itself is tested in package claims.
const lead = 5 * time.Minute

// TestTheTokenKnowsTheAgeOnTheDay takes rows of the published vectors through a whole login each.
func TestTheTokenKnowsTheAgeOnTheDay(t *testing.T) {
	t.Parallel()
	rows := ageVectors(t)
	for _, id := range []string{"plain-01", "tz-01", "plain-05", "tz-03", "tz-09", "leap-02", "tz-05", "leap-04", "leap-08", "edge-03"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			row, ok := rows[id]
			if !ok || row.Expected.Over18 == nil || row.Expected.Over20 == nil {
				t.Fatal("the vectors have no such row")
			}
			people := t.TempDir()
			persona := fmt.Sprintf(`{"birthdate": %q}`, row.Birthdate)
			if err := os.WriteFile(filepath.Join(people, "somebody.json"), []byte(persona), 0o600); err != nil {
				t.Fatal(err)
			}
			w := start(t, "--clients", shops(t), "--personas", people, "--now", row.start(t).Format(time.RFC3339))
			request := w.authorize("bank", url.Values{"scope": {"openid age_over_18 age_over_20"}})
			got := w.tokens(t, "bank", w.walk(t, request, "--persona", "somebody"))
			if got.claims["age_over_18"] != *row.Expected.Over18 || got.claims["age_over_20"] != *row.Expected.Over20 {
				t.Errorf("born %s, on %s: age_over_18 %v, age_over_20 %v, want %v and %v", row.Birthdate, row.AsOf,
					got.claims["age_over_18"], got.claims["age_over_20"], *row.Expected.Over18, *row.Expected.Over20)
			}
			if off := got.IssuedAt.Sub(row.start(t)); off < -time.Second || off > lead {
				t.Errorf("the token was issued %v after the start of the clock", off)
			}
			for _, more := range []string{"birthdate", "name", "address", "gender"} {
				if _, told := got.claims[more]; told {
					t.Errorf("the token also tells the %s", more)
				}
			}
		})
	}
}

// start is the row's instant, moved back when it is the end of a second before midnight.
func (v ageVector) start(t testing.TB) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, v.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	if at.Second() == 59 {
		at = at.Add(-lead)
	}
	return at
}

// ageVectors are the published answers by their name.
func ageVectors(t testing.TB) map[string]ageVector {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "vectors", "age.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []ageVector }
	if err := json.Unmarshal(body, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]ageVector{}
	for _, v := range file.Vectors {
		out[v.ID] = v
	}
	return out
}

type ageVector struct {
	ID        string
	Birthdate string
	AsOf      string `json:"as_of"`
	Expected  struct {
		Over18 *bool `json:"age_over_18"`
		Over20 *bool `json:"age_over_20"`
	}
}
