package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"tegata/idp/clients"
)

// kind of an operation: see bench_login_test.go.
type kind string

const (
	first  kind = "first login"
	repeat kind = "repeat login"
)

// operation is something that a person or a relying party makes the server do.
type operation struct {
	kind    kind
	users   []int      // at once
	bars    [2]float64 // scaled ms of server and database on SQLite and on Postgres; 0 where none is set
	most    float64    // SQL statements on Postgres; 0 where none is set
	times   int        // so many for each of b.N, where one is less than the clocks can see
	prepare func(s *server, b *testing.B, users int) func(user, i int) error
}

var operations = []operation{
	{first, []int{1, 16, 64}, [2]float64{2.4, 2.2}, 9, 1, firstLogins},
	{repeat, []int{1, 16}, [2]float64{1.5, 1.5}, 5, 1, repeatLogins},
	{"strict login", []int{16}, [2]float64{}, 0, 1, strictLogins},
	{"token", []int{16}, [2]float64{}, 0, 2, redemptions},
	{"refresh", []int{16}, [2]float64{0.72, 0.6}, 0, 10, refreshes},
	{"userinfo", []int{16}, [2]float64{0.06, 0.12}, 0, 20, userInfos},
	{"introspection", []int{16}, [2]float64{0.08, 0.15}, 0, 20, introspections},
	{"discovery + JWKS", []int{16}, [2]float64{0.088, 0.066}, 0, 20, discoveries},
	{"prompt=none", []int{16}, [2]float64{1.4, 1.1}, 0, 2, silences},
}

func firstLogins(s *server, b *testing.B, _ int) func(user, i int) error {
	s.register(b, b.N)
	shops := s.take(b.N)
	return func(user, i int) error { return s.login(b.Context(), shops[i], holder(user), "") }
}

func strictLogins(s *server, b *testing.B, _ int) func(user, i int) error {
	shops := make([]shop, b.N)
	for i := range shops {
		shops[i] = s.client(b, strictClient)
	}
	return func(user, i int) error { return s.login(b.Context(), shops[i], holder(user), "") }
}

// regulars are users with a session each, who have been at this shop before.
func (s *server) regulars(b *testing.B, users int, m clients.Metadata) (at shop, jar func(user int) string, had []tokens) {
	b.Helper()
	at, dir := s.client(b, m), b.TempDir()
	jar = func(user int) string { return filepath.Join(dir, fmt.Sprint("cookies", user)) }
	had = make([]tokens, users)
	must(b, crowd(4, users, func(_, i int) (err error) {
		had[i], err = s.tokens(b.Context(), at, holder(i), jar(i))
		return err
	}))
	return at, jar, had
}

func repeatLogins(s *server, b *testing.B, users int) func(user, i int) error {
	at, jar, _ := s.regulars(b, users, clients.Metadata{})
	return func(user, _ int) error { return s.login(b.Context(), at, holder(user), jar(user)) }
}

func silences(s *server, b *testing.B, users int) func(user, i int) error {
	at, jar, _ := s.regulars(b, users, clients.Metadata{})
	return func(user, _ int) error {
		_, err := s.ask(b.Context(), at, holder(user), jar(user), url.Values{"prompt": {"none"}})
		return err
	}
}

// redemptions has the codes ready, which live for a minute.
func redemptions(s *server, b *testing.B, users int) func(user, i int) error {
	at, jar, _ := s.regulars(b, users, clients.Metadata{})
	codes := make([]question, 2*b.N)
	must(b, crowd(users, len(codes), func(user, i int) (err error) {
		codes[i], err = s.ask(b.Context(), at, holder(user), jar(user), nil)
		return err
	}))
	return func(_, i int) error { _, err := s.redeem(b.Context(), at, codes[i]); return err }
}

func refreshes(s *server, b *testing.B, users int) func(user, i int) error {
	at, _, had := s.regulars(b, users, clients.Metadata{
		Scope: "openid age_over_18 offline_access", GrantTypes: []string{"authorization_code", "refresh_token"}})
	return func(user, _ int) error {
		var out tokens
		if err := s.post(b.Context(), s.endpoints.Token, at, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {had[user].Refresh}}, &out); err != nil {
			return err
		}
		if had[user] = out; out.Access == "" || out.Refresh == "" {
			return errors.New("refresh: " + out.Error)
		}
		return nil
	}
}

func userInfos(s *server, b *testing.B, users int) func(user, i int) error {
	_, _, had := s.regulars(b, users, clients.Metadata{})
	return func(user, _ int) error {
		return s.get(b.Context(), s.endpoints.UserInfo, "Bearer "+had[user].Access)
	}
}

func introspections(s *server, b *testing.B, users int) func(user, i int) error {
	at, _, had := s.regulars(b, users, clients.Metadata{})
	return func(user, _ int) error {
		var out struct{ Active bool }
		if err := s.post(b.Context(), s.endpoints.Introspect, at, url.Values{"token": {had[user].Access}}, &out); err != nil {
			return err
		}
		if !out.Active {
			return errors.New("introspection: the token is dead")
		}
		return nil
	}
}

func discoveries(s *server, b *testing.B, _ int) func(user, i int) error {
	return func(_, _ int) error {
		return errors.Join(s.get(b.Context(), s.Issuer+discoveryPath, ""), s.get(b.Context(), s.endpoints.JWKS, ""))
	}
}

// get expects an answer of 200. The client reads it whole: see keepConnections.
func (s *server) get(ctx context.Context, address, authorization string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(address + ": " + resp.Status)
	}
	return nil
}
