package op

import (
	"errors"
	"math"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tegata/authn/fail"
	"tegata/storage"
)

var shop = storage.Client{
	ID: "shop", RedirectURIs: []string{"https://shop.example/cb"}, Scopes: []string{"openid", "age_over_18", "name"},
}

func goodRequest() url.Values {
	return url.Values{
		"client_id": {"shop"}, "redirect_uri": {"https://shop.example/cb"}, "response_type": {"code"},
		"scope": {"openid age_over_18"}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
}

func TestRequests(t *testing.T) {
	with := func(pairs ...string) url.Values {
		v := goodRequest()
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	without := func(name string) url.Values {
		v := goodRequest()
		v.Del(name)
		return v
	}
	twice := func(name string) url.Values {
		v := goodRequest()
		v.Add(name, v.Get(name))
		return v
	}
	tests := []struct {
		name  string
		in    url.Values
		want  *fail.Error
		field string
	}{
		{"a plain request", goodRequest(), nil, ""},
		{"every response mode that discovery names", with("response_mode", "form_post"), nil, ""},
		{"a scope that nobody knows is ignored", with("scope", "openid email age_over_18"), nil, ""},
		{"a prompt and a max_age", with("prompt", "login consent", "max_age", "0"), nil, ""},
		{"a response mode that nobody knows", with("response_mode", "web_message"), fail.RequestInvalid, "response_mode"},
		{"no response type", without("response_type"), fail.RequestInvalid, "response_type"},
		{"the implicit flow", with("response_type", "id_token"), fail.ResponseTypeInvalid, ""},
		{"a hybrid flow", with("response_type", "code id_token"), fail.ResponseTypeInvalid, ""},
		{"no openid", with("scope", "age_over_18"), fail.ScopeInvalid, "scope"},
		{"no scope", without("scope"), fail.ScopeInvalid, "scope"},
		{"a known scope beyond the registration", with("scope", "openid birthdate"), fail.ScopeInvalid, "scope"},
		{"no PKCE", without("code_challenge"), fail.PKCERequired, "code_challenge"},
		{"plain PKCE", with("code_challenge_method", "plain"), fail.PKCERequired, "code_challenge_method"},
		{"PKCE without its method, which means plain", without("code_challenge_method"), fail.PKCERequired, "code_challenge_method"},
		{"a bogus PKCE method", with("code_challenge_method", "S512"), fail.PKCERequired, "code_challenge_method"},
		{"a challenge that is no SHA-256", with("code_challenge", "short"), fail.RequestInvalid, "code_challenge"},
		{"prompt none with another", with("prompt", "none login"), fail.RequestInvalid, "prompt"},
		{"a prompt that nobody knows", with("prompt", "create"), fail.RequestInvalid, "prompt"},
		{"a negative max_age", with("max_age", "-1"), fail.RequestInvalid, "max_age"},
		{"a max_age that is no number", with("max_age", "1h"), fail.RequestInvalid, "max_age"},
		{"a max_age with a sign", with("max_age", "+5"), fail.RequestInvalid, "max_age"},
		{"a max_age of more than a lifetime", with("max_age", "99999999999999999999"), nil, ""},
		{"state twice", twice("state"), fail.RequestInvalid, "state"},
		{"scope twice", twice("scope"), fail.RequestInvalid, "scope"},
		{"an id_token_hint twice", url.Values{"id_token_hint": {"a", "b"}}, fail.RequestInvalid, "id_token_hint"},
		{"a display twice", url.Values{"display": {"page", "page"}}, fail.RequestInvalid, "display"},
		{"a login_hint twice", url.Values{"login_hint": {"a", "b"}}, fail.RequestInvalid, "login_hint"},
		{"acr_values twice", url.Values{"acr_values": {"aal3", "aal2"}}, fail.RequestInvalid, "acr_values"},
		{"a state of many kilobytes", with("state", strings.Repeat("s", 4096)), fail.RequestInvalid, "state"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := requestOf(tt.in, shop, "https://shop.example/cb")
			if tt.want == nil {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				if req.CodeChallenge == "" || !slices.Contains(req.Scopes, "openid") || slices.Contains(req.Scopes, "email") {
					t.Errorf("request is %+v", req)
				}
				return
			}
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if e := fail.From(err); e.Field != tt.field {
				t.Errorf("field %q, want %q", e.Field, tt.field)
			}
			if req.RedirectURI == "" || req.ResponseMode == "" {
				t.Error("the error could not be addressed")
			}
		})
	}
}

func TestOfAnEndlessMaxAgeTheMostIsKept(t *testing.T) {
	v := goodRequest()
	v.Set("max_age", "99999999999999999999")
	if req, err := requestOf(v, shop, "https://shop.example/cb"); err != nil || *req.MaxAge != math.MaxInt32 {
		t.Errorf("%v, %v", req.MaxAge, err)
	}
}

func TestAHeadIsReadAsItsGet(t *testing.T) {
	v, err := params(httptest.NewRecorder(), httptest.NewRequest("HEAD", "/authorize?client_id=shop", nil))
	if err != nil || v.Get("client_id") != "shop" {
		t.Errorf("%v, %v", v, err)
	}
}

func TestAnErrorIsAddressedWithItsState(t *testing.T) {
	v := goodRequest()
	v.Set("response_type", "token")
	v.Set("response_mode", "fragment")
	req, err := requestOf(v, shop, "https://shop.example/cb")
	if err == nil || req.State != "s" || req.ResponseMode != "fragment" {
		t.Errorf("%+v, %v", req, err)
	}
}

func TestTheRedirectURIIsComparedByteForByte(t *testing.T) {
	for _, uri := range []string{"", "https://shop.example/cb/", "https://SHOP.example/cb", "https://shop.example/cb?x=1", "https://shop.example/c%62"} {
		v := goodRequest()
		v.Set("redirect_uri", uri)
		if _, err := redirectOf(v, shop); !errors.Is(err, fail.RedirectURIMismatch) {
			t.Errorf("%q: %v", uri, err)
		}
	}
	v := goodRequest()
	v.Add("redirect_uri", "https://evil.example/")
	if _, err := redirectOf(v, shop); !errors.Is(err, fail.RequestInvalid) {
		t.Errorf("two redirect URIs: %v", err)
	}
}

func TestParametersOfAPostComeFromItsBodyAlone(t *testing.T) {
	r := httptest.NewRequest("POST", "/authorize?client_id=evil", strings.NewReader("client_id=shop"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v, err := params(httptest.NewRecorder(), r)
	if err != nil || v.Get("client_id") != "shop" || len(v["client_id"]) != 1 {
		t.Errorf("%v, %v", v, err)
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(goodRequest().Encode())
	f.Add("redirect_uri=%zz&scope=openid&prompt=none")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		req, err := requestOf(v, shop, "https://shop.example/cb")
		if err != nil {
			return
		}
		if req.RedirectURI != "https://shop.example/cb" || !challengeForm.MatchString(req.CodeChallenge) || !slices.Contains(req.Scopes, "openid") {
			t.Errorf("accepted %+v", req)
		}
		for _, s := range req.Scopes {
			if !slices.Contains(shop.Scopes, s) {
				t.Errorf("granted %q", s)
			}
		}
	})
}
