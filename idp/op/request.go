package op

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/claims/mynumber"
	"tegata/idp/clients"
	"tegata/idp/jwt"
	"tegata/storage"
)

const maxRequest = 16 << 10 // bytes of an authorization request

// lengths that a parameter may have; longer ones are nobody's honest request.
var maxLength = map[string]int{"state": 2048, "nonce": 512, "client_id": 255, "redirect_uri": 2048, "id_token_hint": 8192, "request": jwt.MaxSize}

var challengeForm = regexp.MustCompile(`^[0-9A-Za-z_-]{43}$`)

// params reads the authorization parameters: of the query for GET, of the body alone for POST.
func params(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost { // HEAD is GET without a body
		if len(r.URL.RawQuery) > maxRequest {
			return nil, fail.RequestInvalid.At("query")
		}
		v, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, fail.RequestInvalid.At("query").Because(err)
		}
		return v, nil
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		return nil, fail.RequestInvalid.At("body").Because(err)
	}
	return r.PostForm, nil
}

// single returns the one value of a parameter. Sending one twice is an error (RFC 6749 3.1), and so is what no parameter
// may hold (RFC 6749 A) and what no form, token or database would carry unchanged: control characters and broken UTF-8.
func single(v url.Values, name string) (string, error) {
	all := v[name]
	if len(all) == 0 {
		return "", nil
	}
	limit, ok := maxLength[name]
	if !ok {
		limit = 1024
	}
	if len(all) > 1 || len(all[0]) > limit || !utf8.ValidString(all[0]) || strings.ContainsFunc(all[0], unicode.IsControl) {
		return "", fail.RequestInvalid.At(name)
	}
	return all[0], nil
}

// redirectOf is the first rule of the front channel: nothing goes to a redirect URI before it is found, byte for byte,
// with the client that asks.
func redirectOf(v url.Values, c storage.Client) (string, error) {
	uri, err := single(v, "redirect_uri")
	if err != nil {
		return "", err
	}
	if !clients.MatchRedirect(c, uri) {
		return "", fail.RedirectURIMismatch
	}
	return uri, nil
}

// addressOf is how an answer reaches the relying party, errors included: its redirect URI, state and response mode. With an
// error the rest is still good to answer to.
func addressOf(v url.Values, redirectURI string) (storage.AuthRequest, error) {
	req := storage.AuthRequest{RedirectURI: redirectURI, ResponseMode: "query"}
	state, bad := single(v, "state")
	req.State = state
	mode, err := single(v, "response_mode")
	switch {
	case err != nil:
		return req, errors.Join(bad, err)
	case mode == "":
	case !slices.Contains(ResponseModes, mode), strings.HasPrefix(mode, "form_post") && !strings.HasPrefix(redirectURI, "http"):
		// a browser hands an app the address alone (RFC 8252 section 7.1): what was posted would be lost
		return req, errors.Join(bad, fail.RequestInvalid.At("response_mode"))
	default:
		req.ResponseMode = mode
	}
	return req, bad
}

// requestOf validates everything else. The returned request is good enough to address an error to, even when err is not
// nil.
func requestOf(v url.Values, c storage.Client, redirectURI string) (storage.AuthRequest, error) {
	req, err := addressOf(v, redirectURI)
	if err != nil {
		return req, err
	}
	var bad error
	get := func(name string) string {
		s, err := single(v, name)
		if err != nil && bad == nil {
			bad = err
		}
		return s
	}
	req.Nonce = get("nonce")
	jkt := get("dpop_jkt")
	challenge, method := get("code_challenge"), get("code_challenge_method")
	responseType, scope, prompt, maxAge := get("response_type"), get("scope"), get("prompt"), get("max_age")
	req.UILocales, req.ClaimsLocales = languages(get("ui_locales")), languages(get("claims_locales"))
	switch {
	case bad != nil:
		return req, bad
	case twice(v) != "":
		return req, fail.RequestInvalid.At(twice(v))
	case planted(v) != "":
		return req, fail.MyNumberRefused.At(planted(v))
	case responseType == "":
		return req, fail.RequestInvalid.At("response_type")
	case responseType != "code":
		return req, fail.ResponseTypeInvalid
	}
	bad = errors.Join(scopesInto(&req, c, scope), pkceInto(&req, c, challenge, method), promptInto(&req, prompt), maxAgeInto(&req, maxAge),
		claimsInto(&req, c, v["claims"]), keyInto(&req, v.Has("dpop_jkt"), jkt))
	clients.Recent(c, &req)
	if bad == nil && (clients.AgeOnly(c) || clients.DAA(c)) && v.Has("claims") { // their questions need no language
		bad = fail.BeyondPolicy.At("claims")
	}
	if bad == nil {
		bad = clients.CheckDAA(c, req, scope)
	}
	if bad == nil {
		bad = clients.CheckRequest(c, claims.Asked(req.Scopes, req.Items))
	}
	return req, bad
}

// twice gives the name of a parameter that comes more than once and is read by somebody else or by nobody here (RFC 6749 3.1).
func twice(v url.Values) string {
	for _, name := range []string{"acr_values", "display", "id_token_hint", "login_hint", "registration"} {
		if len(v[name]) > 1 {
			return name
		}
	}
	return ""
}

// planted gives the name of a free-text parameter that holds a My Number: sites put into a hint what people typed. What
// is the relying party's own, such as state and nonce, is left alone: one random number of twelve digits in ten looks so.
func planted(v url.Values) string {
	for _, name := range []string{"login_hint", "claims", "ui_locales", "claims_locales", "acr_values"} {
		if _, found := mynumber.Find(strings.Join(v[name], "; ")); found {
			return name
		}
	}
	return ""
}

// scopesInto keeps the scopes that we know. A known one that is not in the client's registration is an error for its
// engineers, before anyone is asked; one that nobody knows is ignored (OIDC Core 3.1.2.1).
func scopesInto(req *storage.AuthRequest, c storage.Client, scope string) error {
	asked := strings.Fields(scope)
	if !slices.Contains(asked, "openid") {
		return fail.ScopeInvalid.At("scope")
	}
	granted, refused := clients.AllowedScopes(c, asked)
	if slices.ContainsFunc(refused, func(s string) bool { return slices.Contains(claims.Scopes(), s) }) {
		return fail.ScopeInvalid.At("scope")
	}
	req.Scopes = granted
	return nil
}

// pkceInto demands S256 of every client (RFC 9700 2.1.1): no plain, and no silence but of those whom the operator spares it.
func pkceInto(req *storage.AuthRequest, c storage.Client, challenge, method string) error {
	if challenge == "" && method == "" && !clients.NeedsPKCE(c) {
		return nil
	}
	if challenge == "" {
		return fail.PKCERequired.At("code_challenge")
	}
	if method != "S256" {
		return fail.PKCERequired.At("code_challenge_method")
	}
	if !challengeForm.MatchString(challenge) {
		return fail.RequestInvalid.At("code_challenge")
	}
	req.CodeChallenge = challenge
	return nil
}

func promptInto(req *storage.AuthRequest, prompt string) error {
	req.Prompt = strings.Fields(prompt)
	for _, p := range req.Prompt {
		if !slices.Contains(Prompts, p) || p == "none" && len(req.Prompt) > 1 {
			return fail.RequestInvalid.At("prompt")
		}
	}
	return nil
}

func maxAgeInto(req *storage.AuthRequest, maxAge string) error {
	if maxAge == "" {
		return nil
	}
	if strings.Trim(maxAge, "0123456789") != "" {
		return fail.RequestInvalid.At("max_age")
	}
	seconds, _ := strconv.ParseInt(maxAge, 10, 32) // more than that is as good as the most
	req.MaxAge = &seconds
	return nil
}

// keyInto binds the code to a key before its proof is seen (RFC 9449 section 10).
func keyInto(req *storage.AuthRequest, has bool, jkt string) error {
	if !has {
		return nil
	}
	key, ok := parseThumbprint(jkt)
	if !ok {
		return fail.RequestInvalid.At("dpop_jkt")
	}
	req.DPoPKey = key
	return nil
}

// maxLanguages bounds a list of wishes.
const maxLanguages = 10

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`) // RFC 5646 section 2.1, as far as a tag has to look like one

// languages keeps what looks like language tags: an unknown wish is no error (OIDC Core 3.1.2.1), and what is none is not kept.
func languages(s string) []string {
	tags := slices.DeleteFunc(strings.Fields(s), func(tag string) bool { return !languageTag.MatchString(tag) })
	return tags[:min(len(tags), maxLanguages)]
}
