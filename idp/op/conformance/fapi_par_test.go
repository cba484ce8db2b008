package conformance_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"tegata/idp/idptest"
)

// parReload: a request_uri is spent when the login completes, not when it is first seen.
func parReload(s *stage) {
	p := s.party(strict())
	r, b := p.push(), s.w.NewBrowser()
	if first := b.Get(r.URL()); first.Form("/start").Action == "" {
		s.Fatalf("no login page: %d %s", first.Status, first.Code)
	}
	p.finish(r, s.code(r, s.w.Login(b, r, "taro")))
}

// spent: the person sees an error page, since she is late, or the relying party hears of it.
func (s *stage) spent(p idptest.Page) {
	s.Helper()
	if p.Away != nil {
		if word := p.Away.Query().Get("error"); word != "invalid_request_uri" && word != "invalid_request" || p.Away.Query().Has("code") {
			s.Errorf("the answer is %v", p.Away)
		}
		return
	}
	s.page(p, "request_uri_invalid", "already_used", "request_invalid")
}

func parReuse(s *stage) {
	p := s.party(strict())
	r, b := p.push(), s.w.NewBrowser()
	p.finish(r, s.code(r, s.w.Login(b, r, "taro")))
	s.spent(b.Get(r.URL()))
	s.spent(s.w.NewBrowser().Get(r.URL()))
}

func parExpired(s *stage) {
	p := s.party(strict())
	a, r := p.Push(p.Request())
	s.w.Town.Clock.Advance(time.Duration(a.ExpiresIn+1) * time.Second)
	s.spent(s.w.NewBrowser().Get(r.URL()))
}

func parOthers(s *stage) {
	first, second := s.party(strict()), s.party(strict())
	r := first.push()
	r.Params.Set("client_id", second.ClientID)
	s.spent(s.w.NewBrowser().Get(r.URL()))
}

// parAhead: clocks differ by seconds, not by minutes.
func parAhead(seconds int64, good bool) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		a := p.PushWith(p.Request(), func(form url.Values, _ *[2]string) {
			form.Set("client_assertion", p.Assertion(func(claims map[string]any) {
				at := s.w.Town.Clock.Now().Unix() + seconds
				claims["iat"], claims["nbf"], claims["exp"] = at, at, at+60
			}))
		})
		if good {
			same(s, "status", a.Status, http.StatusCreated)
			return
		}
		s.denied(a, "invalid_client", "invalid_request")
	}
}

func parAudience(of func(issuer string) any) func(*stage) {
	return func(s *stage) {
		p := s.party(strict())
		s.denied(p.PushWith(p.Request(), func(form url.Values, _ *[2]string) {
			form.Set("client_assertion", p.Assertion(func(claims map[string]any) { claims["aud"] = of(s.w.Issuer) }))
		}), "invalid_client", "invalid_request")
	}
}

func parRequestURI(s *stage) {
	p := s.party(strict())
	a, _ := p.Push(p.Request("request_uri=urn:ietf:params:oauth:request_uri:random"))
	s.denied(a, "invalid_request", "invalid_request_object", "request_uri_not_supported")
}

func parPUT(s *stage) {
	p := s.party(strict())
	form := p.Request().Params
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", p.Assertion(nil))
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPut, s.w.Issuer+"/par", strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := idptest.Do(s.T, r); a.Status < 400 || a.Status >= 500 || a.RequestURI != "" {
		s.Errorf("%d %s", a.Status, a.Body)
	}
}
