package e2e_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tegata/authn/cardtest"
	"tegata/cmd/sandbox/headless"
	"tegata/storage/storagetest"
	"tegata/testdata/personas"
)

// exchange is one request with its answer, as somebody on the wire would see them.
type exchange struct {
	method string
	url    *url.URL
	heads  string // both
	asked  []byte
	told   []byte
}

// recorder is a wire that is listened to.
type recorder struct {
	mu  sync.Mutex
	all []exchange
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	e := exchange{method: q.Method, url: q.URL}
	if q.Body != nil {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return nil, err
		}
		e.asked, q.Body = body, io.NopCloser(bytes.NewReader(body))
	}
	var heads strings.Builder
	_ = q.Header.Write(&heads) // a strings.Builder takes everything
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	_ = a.Header.Write(&heads)
	e.heads = heads.String()
	e.told, err = io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	_ = a.Body.Close()
	a.Body = io.NopCloser(bytes.NewReader(e.told))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
	return a, nil
}

// TestNoCanarySings is the proof of the My Number firewall and of what is sealed, over a whole life of the sandbox: each
// persona logs in at a service that asks for everything, people and services send numbers where they should not, and then
// the database, its dump, the log and all that went over the wire are searched (R1, R2).
func TestNoCanarySings(t *testing.T) {
	t.Parallel()
	for _, db := range []struct {
		name string
		left func(*testing.T) (flags []string, read func(*testing.T) []byte)
	}{{"SQLite", leftInFiles}, {"Postgres", leftInDump}} {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			flags, read := db.left(t)
			number := aNumber(t)
			w := start(t, append(flags, "--clients", clientsFile(t, everythingAsked))...)
			wire := &recorder{}
			people := w.everybody(t, wire)
			people = append(people, w.lives(t, wire, people)...)
			w.numbersEverywhere(t, wire, number)
			w.stop(t)

			s := scanner{append(planted(people), canary{what: "My Number", text: number})}
			left := read(t)
			report(t, "the database", s.scan(left)...)
			if n := rawNumbers(left); n > 0 {
				t.Errorf("the database: %d numbers that could be somebody's", n)
			}
			report(t, "the log", s.scan([]byte(w.stderr.String()))...)
			if found := numbers(w.stderr.String()); len(found) > 0 {
				t.Error("the log holds what could be somebody's number:", found)
			}
			shown := false
			for _, e := range wire.all {
				if e.url.Host != strings.TrimPrefix(w.Cards, "http://") { // there a PIN goes to its card
					shown = checkExchange(t, e, s, number) || shown
				}
			}
			if !shown {
				t.Error("nobody was ever shown, so that nothing could leak")
			}
		})
	}
}

const everythingAsked = `[
	{"client_id": "bank", "client_secret": "bank-secret-of-more-than-32-characters-0", "client_name": "Bank", "redirect_uris": ["http://127.0.0.1:8000/bank"],
	 "scope": "openid name address address_prefecture address_municipality birthdate gender age_over_18 age_over_20"}
]`

func report(t *testing.T, where string, found ...canary) {
	t.Helper()
	var names []string
	for _, c := range found {
		names = append(names, c.what)
	}
	if len(names) > 0 {
		slices.Sort(names)
		t.Errorf("%s holds: %s", where, strings.Join(slices.Compact(names), ", "))
	}
}

// checkExchange: what is typed goes to the card alone, and what a card knows goes from the agent to the provider, to the
// person's own pages, and to the service that she agreed to. shown says that somebody was.
func checkExchange(t *testing.T, e exchange, s scanner, number string) (shown bool) {
	t.Helper()
	where := e.method + " " + e.url.Path
	report(t, "an address or header of "+where, s.scan([]byte(e.url.String()+"\n"+e.heads))...)
	sent := s.scan(bytes.ReplaceAll(e.asked, []byte(number), nil)) // we sent that one; it must not come back
	told := s.scan(e.told)
	if strings.HasPrefix(e.url.Path, "/agent/") || strings.HasPrefix(e.url.Path, "/login/") || e.url.Path == "/userinfo" {
		known := func(c canary) bool { return c.known }
		shown = slices.ContainsFunc(told, known)
		sent, told = slices.DeleteFunc(sent, known), slices.DeleteFunc(told, known)
	}
	report(t, "the request "+where, sent...)
	report(t, "the answer of "+where, told...)
	if found := numbers(string(e.told)); len(found) > 0 {
		t.Error("the answer of", where, "holds what could be somebody's number:", found)
	}
	return shown
}

// planted is what the personas type, and what their cards know of them.
func planted(people []cardtest.Persona) []canary {
	var all []canary
	for _, p := range people {
		all = append(all, canary{p.ID + "'s PIN", p.PIN, false}, canary{p.ID + "'s password", p.Password, false}, canary{p.ID + "'s number B", p.NumberB(), false},
			canary{p.ID + "'s name", p.Name, true}, canary{p.ID + "'s address", p.Address, true})
	}
	return all
}

// everybody logs each persona in and asks for all that there is.
func (w *world) everybody(t *testing.T, wire *recorder) []cardtest.Persona {
	t.Helper()
	people, err := cardtest.LoadFS(personas.FS)
	must(t, err)
	let := 0
	for i := range people {
		p := &people[i]
		at := w.authorize("bank", url.Values{"scope": {"openid name address birthdate gender age_over_18"}, "state": {rand.Text()}})
		printed := "" // where four digits are locked
		if p.CardInfoTries == 0 {
			printed = p.NumberB()
		}
		r, err := headless.Login(t.Context(), headless.Options{
			AuthorizeURL: at, Persona: p.ID, PIN: p.PIN, Password: p.Password, NumberB: printed, Cards: w.Cards, Transport: wire})
		if err != nil {
			continue // the failing cards: their error pages are on the wire too
		}
		back, err := url.Parse(r.URL)
		must(t, err)
		if back.Query().Get("code") == "" {
			continue
		}
		let++
		w.askUserInfo(t, wire, back.Query().Get("code"))
	}
	if let < 6 {
		t.Errorf("only %d personas were let in", let)
	}
	return people
}

// lives goes on with those people: a card is renewed, another one suspended, lost or found again, somebody moves, changes
// her name, dies. It gives them as they are called and live then.
func (w *world) lives(t *testing.T, wire *recorder, people []cardtest.Persona) (later []cardtest.Persona) {
	t.Helper()
	scope := url.Values{"scope": {"openid name address"}, "prompt": {"consent"}}
	for _, tc := range []struct {
		persona string
		events  []string
		renewed bool
		let     bool
	}{
		{persona: "taro", events: []string{"renew"}, renewed: true, let: true},
		{persona: "hanako", events: []string{"suspend"}},
		{persona: "hanako", events: []string{"lift", "renew"}, let: true}, // somebody new
		{persona: "foreign", events: []string{"move", "rename"}, let: true},
		{persona: "leap", events: []string{"renew"}, renewed: true, let: true},
		{persona: "henkan", events: []string{"revoke"}},
		{persona: "overseas", events: []string{"die"}},
	} {
		p := people[slices.IndexFunc(people, func(p cardtest.Persona) bool { return p.ID == tc.persona })]
		p.Address, p.Name = "東京都千代田区転居町三丁目３番３号", "ＡＦＴＥＲＷＡＲＤＳ　ＮＡＭＥＤ"
		for _, event := range tc.events {
			w.happen(t, tc.persona, event, url.Values{"address": {p.Address}, "name": {p.Name}})
		}
		if slices.Contains(tc.events, "move") {
			later = append(later, p)
		}
		r, err := headless.Login(t.Context(), headless.Options{AuthorizeURL: w.authorize("bank", scope), Persona: p.ID, PIN: p.PIN, Password: p.Password,
			Cards: w.Cards, Transport: wire, Renewed: tc.renewed})
		back, _ := url.Parse(r.URL) // of a login that failed, the empty address
		if let := err == nil && back.Query().Get("code") != ""; let != tc.let {
			t.Errorf("%s after %v: %v %v", tc.persona, tc.events, r, err)
		} else if let {
			w.askUserInfo(t, wire, back.Query().Get("code"))
		}
	}
	return later
}

func (w *world) askUserInfo(t *testing.T, wire *recorder, code string) {
	t.Helper()
	if info := w.userInfo(t, wire, "bank", code); !bytes.Contains(info, []byte(`"sub"`)) {
		t.Errorf("userinfo says %s", info)
	}
}

// userInfo is what a client with a secret hears for a code.
func (w *world) userInfo(t *testing.T, wire *recorder, id, code string) []byte {
	t.Helper()
	var tokens struct {
		Access string `json:"access_token"`
	}
	client := w.Clients[slices.IndexFunc(w.Clients, func(c client) bool { return c.ID == id })]
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {client.RedirectURIs[0]}, "code_verifier": {verifier}}
	q := request(t, http.MethodPost, w.Issuer+"/oauth/token", form)
	q.SetBasicAuth(client.ID, client.Secret)
	must(t, json.Unmarshal(wire.do(t, q), &tokens))
	q = request(t, http.MethodGet, w.Issuer+"/userinfo", nil)
	q.Header.Set("Authorization", "Bearer "+tokens.Access)
	return wire.do(t, q)
}

// numbersEverywhere sends a My Number into every field that takes a text from outside.
func (w *world) numbersEverywhere(t *testing.T, wire *recorder, number string) {
	t.Helper()
	for _, field := range []string{"login_hint", "scope", "id_token_hint", "ui_locales", "claims", "acr_values", "request", "prompt"} {
		at, err := url.Parse(w.authorize("bank", url.Values{field: {number}}))
		must(t, err)
		wire.do(t, request(t, http.MethodPost, w.Issuer+"/authorize", at.Query()))
		form := at.Query()
		form.Set("client_secret", "bank-secret-of-more-than-32-characters-0")
		wire.do(t, request(t, http.MethodPost, w.Issuer+"/par", form))
	}
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect", "/userinfo", "/login/x/start", "/login/x/consent", "/agent/v1/claim", "/agent/v1/result", "/end_session"} {
		for _, field := range []string{"code", "token", "login", "item", "state"} {
			wire.do(t, request(t, http.MethodPost, w.Issuer+path, url.Values{field: {number}}))
		}
	}
}

func request(t *testing.T, method, at string, form url.Values) *http.Request {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(form.Encode()))
	must(t, err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	return q
}

// do sends a request over the wire and gives the body of the answer, whatever its status.
func (r *recorder) do(t *testing.T, q *http.Request) []byte {
	t.Helper()
	a, err := r.RoundTrip(q)
	must(t, err)
	body, err := io.ReadAll(a.Body)
	must(t, err)
	return body
}

// leftInFiles: all that the sandbox leaves in its folder.
func leftInFiles(t *testing.T) ([]string, func(*testing.T) []byte) {
	dir := t.TempDir()
	return []string{"--data", dir}, func(t *testing.T) []byte {
		t.Helper()
		var all []byte
		files, err := filepath.Glob(filepath.Join(dir, "*.db*"))
		must(t, err)
		for _, f := range files {
			b, err := os.ReadFile(f)
			must(t, err)
			all = append(all, b...)
		}
		if len(all) < 50_000 || !bytes.Contains(all, []byte("age_over_18")) {
			t.Fatalf("%d bytes in %v are no database that was used", len(all), files)
		}
		return all
	}
}

// leftInDump: what pg_dump writes, in which bytes stand as hex.
func leftInDump(t *testing.T) ([]string, func(*testing.T) []byte) {
	db := storagetest.Postgres(t)
	return []string{"--db", db}, func(t *testing.T) []byte {
		t.Helper()
		tools, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		must(t, err)
		if len(tools) == 0 {
			t.Fatal("there is no pg_dump beside the PostgreSQL that the tests run")
		}
		dump, err := exec.CommandContext(t.Context(), slices.Max(tools), "--inserts", db).Output()
		must(t, err)
		if !bytes.Contains(dump, []byte("INSERT INTO public.sessions")) {
			t.Fatal("the dump holds no session")
		}
		return dump
	}
}
