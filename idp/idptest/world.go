package idptest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"tegata/authn/revocation"
	"tegata/claims"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/storage"
)

// Parts are what the town gives to the provider under test.
type Parts struct {
	Issuer     string
	Town       *Town
	Revocation revocation.Checker
	Relations  *revocation.Relations // the town's platform operator
	SubjectKey []byte
	Launch     string // launch link template
	Log        *slog.Logger
}

// Site is the provider under test.
type Site struct {
	Handler http.Handler
	IDP     *idp.Provider
	Store   storage.Store
	Deliver func(ctx context.Context) (int, error) // sends what is due in the outbox
}

// World is a running provider with the people around it.
type World struct {
	T        testing.TB
	Town     *Town
	Issuer   string
	Site     Site
	Log      *Log
	browsers []*Browser
}

// Open puts the provider that build makes of the parts behind a server on loopback, until the test ends.
func Open(t testing.TB, build func(testing.TB, Parts) Site) *World {
	t.Helper()
	w := &World{T: t, Town: Visit(t), Log: &Log{}}
	server := httptest.NewUnstartedServer(nil)
	w.Issuer = "http://" + server.Listener.Addr().String()
	log := slog.New(slog.NewJSONHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	former := slog.Default() // zitadel/oidc logs there
	slog.SetDefault(log)
	t.Cleanup(func() { slog.SetDefault(former) })
	client := &http.Client{Transport: &http.Transport{}}
	w.Site = build(t, Parts{
		Issuer: w.Issuer, Town: w.Town, SubjectKey: bytes.Repeat([]byte("k"), 32), Launch: "tegata:{ticket}",
		Revocation: &revocation.OCSP{URL: w.Town.Authority.ResponderOf, HTTP: client, Now: w.Town.Clock.Now, Rand: rand.Reader},
		Relations: &revocation.Relations{Breaker: &revocation.Breaker{Now: w.Town.Clock.Now}, Platform: &revocation.Platform{
			URL: w.Town.Authority.PlatformURL(), Keys: []*ecdsa.PublicKey{w.Town.Authority.PlatformKey()}, HTTP: client, Now: w.Town.Clock.Now, Rand: rand.Reader}},
		Log: log,
	})
	server.Config.Handler = w.Site.Handler
	server.Start()
	t.Cleanup(server.Close)
	return w
}

// Log is everything the provider logged, down to debug level.
type Log struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write takes one line.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(line)
}

// String is the log so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// Register makes a relying party. What m leaves out is filled in: a confidential client of one https address.
func (w *World) Register(m clients.Metadata) *RP {
	w.T.Helper()
	if m.RedirectURIs == nil {
		m.RedirectURIs = []string{"https://" + m.ClientID + ".example/cb"}
	}
	if m.Scope == "" {
		m.Scope = "openid age_over_18"
	}
	if (m.AuthMethod == "" || clients.HasSecret(m.AuthMethod)) && m.ClientSecret == "" {
		m.ClientSecret = clients.Secret(rand.Text() + rand.Text())
	}
	rp := &RP{w: w}
	if m.JWKS == nil && m.JWKSURI == "" {
		rp.KeyID = "k"
		rp.Key, m.JWKS = w.NewKey("k")
	}
	record, problems := clients.Rules{AllowLoopbackHTTP: true, AllowWithoutPKCE: true, ByDay: claims.Catalogue()}.Client(m, w.Town.Clock.Now())
	if len(problems) > 0 {
		w.T.Fatal(problems)
	}
	if err := w.Site.Store.PutClient(context.Background(), record); err != nil {
		w.T.Fatal(err)
	}
	rp.Metadata = m
	return rp
}

// Approach sends the browser to the provider and presses the button of the login page; the waiting page comes back.
func (w *World) Approach(b *Browser, r Request) Page {
	w.T.Helper()
	p := b.Submit(w.must(b.Get(r.URL()), "/start"))
	if p.Launch == "" {
		w.T.Fatalf("no launch link: %d %s %s", p.Status, p.URL.Path, p.Code)
	}
	return p
}

func (w *World) must(p Page, form string) Form {
	w.T.Helper()
	f := p.Form(form)
	if f.Action == "" {
		w.T.Fatalf("no form %s: %d %s %s, away %v", form, p.Status, p.URL.Path, p.Code, p.Away)
	}
	return f
}

// Present walks until the card has been used and the browser is back: at the consent page, or with the answer.
func (w *World) Present(b *Browser, r Request, persona string) Page {
	w.T.Helper()
	wait := w.Approach(b, r)
	code, err := w.UseCard(wait.Launch, persona)
	if err != nil {
		w.T.Fatalf("%s: %v", persona, err)
	}
	return b.Get("/login/return/" + code)
}

// Login walks a whole login in which the person agrees to everything, and returns the parameters of the answer.
func (w *World) Login(b *Browser, r Request, persona string) url.Values {
	w.T.Helper()
	p := w.Present(b, r, persona)
	agreed := slices.ContainsFunc(p.Forms, func(f Form) bool { return f.Action == r.Param("redirect_uri") }) // before, and the answer is posted
	if p.Away == nil && !agreed {
		p = b.Submit(w.must(p, "/consent"), "decision=allow")
	}
	return w.Answered(p, r)
}

// Answered is the answer that a page carries to the relying party of r, in the mode that was asked for.
func (w *World) Answered(p Page, r Request) url.Values {
	w.T.Helper()
	target := r.Param("redirect_uri")
	mode, signed := strings.CutSuffix(r.Param("response_mode"), "jwt")
	values := w.carried(p, target, strings.TrimSuffix(mode, "."))
	if signed {
		return w.opened(values, r)
	}
	return values
}

// carried are the parameters that a page takes to target in a response mode.
func (w *World) carried(p Page, target, mode string) url.Values {
	w.T.Helper()
	if mode == "form_post" {
		return posted(w.T, p, target)
	}
	if p.Away == nil {
		w.T.Fatalf("no answer: %d %s %s", p.Status, p.URL.Path, p.Code)
	}
	separator := "?"
	if mode == "fragment" {
		separator = "#"
	} else if strings.Contains(target, "?") {
		separator = "&"
	}
	rest, ok := strings.CutPrefix(p.Away.String(), target+separator)
	if !ok {
		w.T.Fatalf("the answer goes to %s, not to %s", p.Away, target)
	}
	values, err := url.ParseQuery(rest)
	if err != nil {
		w.T.Fatal(err)
	}
	return values
}

func posted(t testing.TB, p Page, target string) url.Values {
	t.Helper()
	for _, f := range p.Forms {
		if f.Action != target {
			continue
		}
		values := url.Values{}
		for _, field := range f.Fields {
			values.Add(field[0], field[1])
		}
		return values
	}
	t.Fatalf("no form posts to %s: %d %s", target, p.Status, p.Code)
	return nil
}

// Browsers are all that were opened.
func (w *World) Browsers() []*Browser { return w.browsers }

// Answer sends a browser that has a session and returns the answer; where the person is asked, she agrees.
func (w *World) Answer(b *Browser, r Request) url.Values {
	w.T.Helper()
	p := b.Get(r.URL())
	if f := p.Form("/consent"); f.Action != "" {
		p = b.Submit(f, "decision=allow")
	}
	return w.Answered(p, r)
}
