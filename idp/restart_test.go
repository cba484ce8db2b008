package idp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/idp"
	"tegata/idp/keys"
	"tegata/idp/session"
	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// slowJudge finds everything good, and takes so long that meanwhile happens first.
type slowJudge struct{ meanwhile func() }

func (slowJudge) ACR() string { return authn.ACR }

func (j slowJudge) Judge(context.Context, storage.Login, agent.ResultRequest) (authn.Evidence, error) {
	j.meanwhile()
	return authn.Evidence{Index: []byte("index"), ACR: authn.ACR, AMR: []string{"mnc"}}, nil
}

// While one agent's result is judged, the person starts again and another agent claims the new ticket. What the first one
// brought was signed for a nonce that is no longer out, and must not finish the second one's login.
func TestAResultDoesNotOutliveARestart(t *testing.T) {
	ctx, judge := t.Context(), &slowJudge{}
	p := newProvider(t, judge)
	c := storage.Client{ID: "shop", Scopes: []string{"openid"}, Sector: "shop.example", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := p.Store.PutClient(ctx, c); err != nil {
		t.Fatal(err)
	}
	secret, err := authn.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := idp.Browser{Secret: secret, Known: true}
	step, err := p.Begin(ctx, c, storage.AuthRequest{RedirectURI: "https://shop.example/cb", ResponseMode: "query", Scopes: []string{"openid"}}, b)
	if err != nil {
		t.Fatal(err)
	}
	id := step.Login.ID
	claim := func() []byte {
		t.Helper()
		waiting, err := p.Start(ctx, id, b, idp.Starting{})
		if err != nil {
			t.Fatal(err)
		}
		key, err := agent.NewKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		jwk := key.Public().JWK()
		if _, err := p.ClaimTicket(ctx, agent.ClaimRequest{Ticket: waiting.Ticket, Key: key.Public(), Version: "1.0"}, jwk); err != nil {
			t.Fatal(err)
		}
		return jwk
	}
	claim()
	var second []byte
	judge.meanwhile = func() { second = claim() }
	code, err := p.Result(ctx, agent.ResultRequest{Login: id})
	if code != "" || !errors.Is(err, fail.StatementMismatch) {
		t.Errorf("the first agent got a code: %v, %v", code != "", err)
	}
	l, err := p.Store.Login(ctx, id)
	if err != nil || l.State != storage.Claimed || !bytes.Equal(l.AgentKey, second) {
		t.Errorf("the second agent's login is %s, %v", l.State, err)
	}
}

func newProvider(t *testing.T, judge *slowJudge) *idp.Provider {
	t.Helper()
	store, err := gormstore.Open(t.Context(), gormstore.Config{URL: storagetest.SQLite(t), Seal: storagetest.Keyset(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	p, err := idp.New(idp.Config{
		Issuer: "https://id.example", Store: store, Keys: &keys.Ring{Store: store, Now: time.Now, Rand: rand.Reader}, Judge: judge,
		MinAgent: "1.0", SubjectKey: bytes.Repeat([]byte{7}, 32), SessionRule: session.Default, Now: time.Now, Rand: rand.Reader,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
