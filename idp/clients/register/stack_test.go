package register_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tegata/authn"
	"tegata/cmd/provider"
	"tegata/cmd/provider/providertest"
	"tegata/idp/idptest"
	"tegata/idp/op"
	"tegata/storage"
	"tegata/storage/storagetest"
)

// town is a world around a provider that takes registrations, on SQLite.
type town struct{ *idptest.World }

func open(t *testing.T, approve bool) town {
	t.Helper()
	return town{providertest.Open(t, storagetest.SQLite(t), func(o *provider.Options) {
		o.Edge.Registration = &op.Registration{Approve: approve}
	}).World}
}

// invite makes an initial access token of some uses that is good for an hour.
func (w town) invite(uses int64) string {
	w.T.Helper()
	token, err := authn.NewSecret(rand.Reader)
	if err != nil {
		w.T.Fatal(err)
	}
	now := w.Town.Clock.Now()
	err = w.Site.Store.CreateInitialToken(w.T.Context(), storage.InitialToken{Hash: token.Hash(), Name: rand.Text(), Uses: uses, CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	if err != nil {
		w.T.Fatal(err)
	}
	return token.Reveal()
}

// answer is what the endpoint said.
type answer struct {
	idptest.Answer
	Members map[string]any
}

func (a answer) text(name string) string {
	text, _ := a.Members[name].(string)
	return text
}

// call sends a body (nil: none) with a bearer token ("": none).
func (w town) call(method, address, token string, body any) answer {
	w.T.Helper()
	raw, ok := body.(string)
	if !ok && body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.T.Fatal(err)
		}
		raw = string(b)
	}
	if strings.HasPrefix(address, "/") {
		address = w.Issuer + address
	}
	r, err := http.NewRequestWithContext(w.T.Context(), method, address, bytes.NewReader([]byte(raw)))
	if err != nil {
		w.T.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	out := answer{Answer: idptest.Do(w.T, r)}
	_ = json.Unmarshal([]byte(out.Body), &out.Members) // what is not JSON has no members
	if cache := out.Header.Get("Cache-Control"); cache != "no-store" && out.Status != http.StatusMethodNotAllowed {
		w.T.Errorf("%s %s may be kept: %q", method, address, cache)
	}
	return out
}

func (w town) approve(id string) {
	w.T.Helper()
	c, err := w.Site.Store.Client(w.T.Context(), id)
	if err != nil {
		w.T.Fatal(err)
	}
	was := c.UpdatedAt
	c.Registration.Pending, c.UpdatedAt = false, was.Add(time.Millisecond)
	if err := w.Site.Store.UpdateClient(w.T.Context(), c, was); err != nil {
		w.T.Fatal(err)
	}
	w.Town.Clock.Advance(time.Second) // a replica may believe an old record for so long
}
