package rp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// logoutToken is an honest one, with changes: a nil value removes a member.
func (v *visit) logoutToken(key *jose.SigningKey, changes map[string]any) string {
	v.t.Helper()
	claims := overlay(map[string]any{
		"iss": v.op.URL, "aud": "shop", "sub": "person-at-shop", "sid": "s1", "jti": "j1", "iat": v.now.Unix(), "exp": v.now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}, changes)
	payload, err := json.Marshal(claims)
	if err != nil {
		v.t.Fatal(err)
	}
	if key == nil {
		key = &jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: v.op.key, KeyID: "ES256"}}
	}
	signer, err := jose.NewSigner(*key, (&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		v.t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		v.t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		v.t.Fatal(err)
	}
	return compact
}

// tell posts a logout token as the provider's server does.
func (v *visit) tell(token string) int {
	v.t.Helper()
	response, err := http.PostForm(v.shop.URL+"/backchannel-logout", url.Values{"logout_token": {token}})
	if err != nil {
		v.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// enter logs a customer in, in a session that the provider calls sid.
func (v *visit) enter(sid string) {
	v.t.Helper()
	v.op.claims = map[string]any{"sid": sid}
	v.get("/callback?" + v.start("login").Encode())
	if !v.inside() {
		v.t.Fatal("the customer is not in")
	}
}

func (v *visit) inside() bool {
	v.t.Helper()
	status, _, _ := v.get("/result")
	return status == http.StatusOK
}

func TestALogoutTokenIsRefusedUnlessEverythingFits(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes map[string]any
		key     *jose.SigningKey
		status  int
		in      bool // she still is
	}{
		{name: "the honest one is believed", status: http.StatusOK},
		{name: "without a session it is about all of this person's", changes: map[string]any{"sid": nil}, status: http.StatusOK},
		{name: "another session of hers", changes: map[string]any{"sid": "s2"}, status: http.StatusOK, in: true},
		{name: "a session of somebody else", changes: map[string]any{"sid": nil, "sub": "neighbour"}, status: http.StatusOK, in: true},
		{name: "an ID token, which has a nonce", changes: map[string]any{"nonce": "n"}, status: http.StatusBadRequest, in: true},
		{name: "no event", changes: map[string]any{"events": nil}, status: http.StatusBadRequest, in: true},
		{name: "another event", changes: map[string]any{"events": map[string]any{"x": map[string]any{}}}, status: http.StatusBadRequest, in: true},
		{name: "for another client", changes: map[string]any{"aud": "other"}, status: http.StatusBadRequest, in: true},
		{name: "of another issuer", changes: map[string]any{"iss": "https://evil.example"}, status: http.StatusBadRequest, in: true},
		{name: "expired", changes: map[string]any{"exp": 1}, status: http.StatusBadRequest, in: true},
		{name: "about nobody", changes: map[string]any{"sub": nil, "sid": nil}, status: http.StatusBadRequest, in: true},
		{name: "without a number of its own", changes: map[string]any{"jti": nil}, status: http.StatusBadRequest, in: true},
		{name: "by an algorithm we did not agree on", key: &jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: rsaKey(), KeyID: "RS256"}}, status: http.StatusBadRequest, in: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newVisit(t)
			v.enter("s1")
			if got := v.tell(v.logoutToken(tc.key, tc.changes)); got != tc.status || v.inside() != tc.in {
				t.Errorf("answered %d, inside %v", got, v.inside())
			}
		})
	}
	v := newVisit(t)
	if got := v.tell("nonsense"); got != http.StatusBadRequest {
		t.Errorf("nonsense: %d", got)
	}
}

func TestALogoutTokenWorksOnce(t *testing.T) {
	v := newVisit(t)
	v.enter("s1")
	token := v.logoutToken(nil, map[string]any{"sid": nil})
	if v.tell(token) != http.StatusOK {
		t.Fatal("refused")
	}
	v.enter("s1")
	if got := v.tell(token); got != http.StatusBadRequest || !v.inside() {
		t.Errorf("overheard and sent again: %d", got)
	}
}

func TestACustomerSeesWhoLoggedHerOut(t *testing.T) {
	v := newVisit(t)
	v.enter("s1")
	if v.tell(v.logoutToken(nil, nil)) != http.StatusOK {
		t.Fatal("refused")
	}
	const said = "The identity desk told us"
	if _, body, _ := v.get("/"); !strings.Contains(body, said) || !strings.Contains(body, `id="told"`) {
		t.Error("the shop does not say so")
	}
	if _, body, _ := v.get("/"); strings.Contains(body, said) {
		t.Error("the shop says so for ever")
	}
	if strings.Contains(v.log.String(), "person-at-shop") || !strings.Contains(v.log.String(), "count=1") {
		t.Errorf("the log: %s", v.log.String())
	}
}

// While the provider's keys cannot be had the shop asks to be told again.
func TestALogoutThatCannotBeCheckedIsNotRefusedForEver(t *testing.T) {
	v := newVisit(t)
	v.op.down = true
	if got := v.tell(v.logoutToken(nil, nil)); got != http.StatusServiceUnavailable {
		t.Errorf("answered %d", got)
	}
}

func TestACustomerMayLeaveThisShopAlone(t *testing.T) {
	v := newVisit(t)
	v.enter("s1")
	post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.shop.URL+"/logout", strings.NewReader("only=shop"))
	if err != nil {
		t.Fatal(err)
	}
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, _, target := v.do(post)
	if status != http.StatusSeeOther || target.Host != v.origin().Host || v.inside() {
		t.Fatalf("answered %d to %v", status, target)
	}
	if _, body, _ := v.get(target.RequestURI()); !strings.Contains(body, "You are logged out") {
		t.Error("the shop does not say goodbye")
	}
}
