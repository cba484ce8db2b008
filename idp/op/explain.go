package op

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/claims/ask"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/jwe"
	"tegata/idp/jwt"
	"tegata/storage"
)

// explained finds, for an error of a request, what its client's own developers may see besides: what was sent, and what
// would have fitted their registration or this provider. nil where neither decided.
func (d *desk) explained(ctx context.Context, c storage.Client, v url.Values, err error) *idp.Explained {
	e := fail.From(err)
	out := idp.Explained{Err: err, Client: c.ID, Field: e.Field, Got: v.Get(e.Field)}
	fits := func(member string, values ...string) *idp.Explained {
		out.Member, out.Registered = member, values
		return &out
	}
	switch e.Code {
	case fail.RedirectURIMismatch.Code:
		out.Field, out.Got = "redirect_uri", v.Get("redirect_uri")
		return fits("redirect_uris", c.RedirectURIs...)
	case fail.ScopeInvalid.Code:
		out.Field, out.Got = beyondScope(c, v, e.Field)
		return fits("scope", c.Scopes...)
	case fail.BeyondPolicy.Code:
		return beyondPolicy(&out, c, v)
	case fail.ResponseTypeInvalid.Code:
		out.Field, out.Got = "response_type", v.Get("response_type")
		return fits("response_types", "code")
	case fail.PKCERequired.Code:
		return fits("code_challenge_methods_supported", "S256")
	case fail.PARRequired.Code:
		out.Got = ""
		return fits("require_pushed_authorization_requests", "true")
	case fail.RequestObjectBad.Code:
		return d.badObject(ctx, &out, c, v.Get("request"))
	case fail.ACRNotMet.Code:
		asked, _ := ask.Parse(v.Get("claims")) // it was read before
		out.Field, out.Got = "claims.id_token.acr", strings.Join(asked.IDToken.ACR, " ")
		return fits("acr_values_supported", d.acr())
	case fail.EncryptionKeyNone.Code:
		return d.noKey(ctx, &out, c)
	case fail.RequestInvalid.Code:
		return badValue(&out, c)
	}
	return nil
}

// badValue explains a parameter that is right or wrong for this client or this provider; most are simply malformed.
func badValue(out *idp.Explained, c storage.Client) *idp.Explained {
	switch {
	case out.Field == "response_mode" && slices.Contains(ResponseModes, out.Got): // a form, to an app
		out.Member, out.Registered = "redirect_uris", c.RedirectURIs
	case out.Field == "response_mode":
		out.Member, out.Registered = "response_modes_supported", ResponseModes
	case out.Field == "prompt":
		out.Member, out.Registered = "prompt_values_supported", Prompts
	case out.Field == "request" && c.RequireSignedRequest:
		out.Member, out.Registered = "require_signed_request_object", []string{"true"}
	case clients.DAA(c) && (out.Field == "state" || out.Field == "nonce"):
		out.Member, out.Registered = "profile", []string{c.Profile}
	default:
		return nil
	}
	return out
}

// beyondScope gives what a client may not ask for: scopes, or the place of a claim.
func beyondScope(c storage.Client, v url.Values, field string) (parameter, sent string) {
	if field != "scope" {
		return "claims", field
	}
	asked := strings.Fields(v.Get("scope"))
	_, refused := clients.AllowedScopes(c, asked)
	refused = slices.DeleteFunc(refused, func(s string) bool { return !slices.Contains(claims.Scopes(), s) })
	if len(refused) == 0 { // openid is missing
		return "scope", v.Get("scope")
	}
	return "scope", strings.Join(refused, " ")
}

// beyondPolicy names the part of the registration that a known question does not fit.
func beyondPolicy(out *idp.Explained, c storage.Client, v url.Values) *idp.Explained {
	item := claims.Item(out.Field)
	_, agreed := c.Policy.Items[out.Field]
	out.Field, out.Got = "scope", string(item)
	switch {
	case item == "claims": // age-only and daa-compatible
		out.Field, out.Got, out.Member, out.Registered = "claims", v.Get("claims"), "profile", []string{c.Profile}
	case clients.AgeOnly(c):
		out.Got, out.Member, out.Registered = v.Get("scope"), "scope", c.Scopes
	case strings.HasPrefix(string(item), "claims."): // a place in the ID token
		out.Field, out.Member, out.Registered = "claims", "id_token_encrypted_response_alg", jwe.Algs
	case !agreed && !item.Open():
		out.Member, out.Registered = "policy.items", slices.Sorted(maps.Keys(c.Policy.Items))
	case item == claims.ItemBirthdate: // it or an age
		ages := agesIn(v)
		out.Got, out.Member, out.Registered = strings.Join(append([]string{out.Got}, ages...), " "), "policy.items", append([]string{out.Got}, ages...)
	default:
		out.Got, out.Member, out.Registered = strings.Join(agesIn(v), " "), "policy.predicates_per_request", []string{strconv.Itoa(max(1, c.Policy.Predicates))}
	}
	return out
}

// agesIn are the predicates that a request asks for, by whatever spelling.
func agesIn(v url.Values) []string {
	asked, _ := ask.Parse(v.Get("claims")) // it was read before
	items := claims.Items(strings.Fields(v.Get("scope")))
	for _, one := range asked.All() {
		items = append(items, one.Claim.Item())
	}
	var ages []string
	for _, i := range items {
		if i.Predicate() && !slices.Contains(ages, string(i)) {
			ages = append(ages, string(i))
		}
	}
	return ages
}

// badObject finds what a request object has of another client, algorithm or key.
func (d *desk) badObject(ctx context.Context, out *idp.Explained, c storage.Client, compact string) *idp.Explained {
	out.Field, out.Got = "request", ""
	t, err := jwt.Parse(compact, jwt.RequestObject)
	if err != nil {
		return nil
	}
	keys, err := d.keys.Of(ctx, c, t.Header.KeyID)
	switch {
	case t.Text("iss") != c.ID:
		out.Field, out.Got, out.Member, out.Registered = "request.iss", t.Text("iss"), "client_id", []string{c.ID}
	case !clients.AcceptsAlg(c, c.Keys.RequestAlg, t.Header.Alg):
		out.Field, out.Got, out.Member, out.Registered = "request.alg", t.Header.Alg, "request_object_signing_alg", clients.AcceptedAlgs(c, c.Keys.RequestAlg)
	case err != nil || t.Verify(keys) != nil:
		out.Field, out.Got, out.Member = "request.kid", t.Header.KeyID, cmp.Or(c.Keys.JWKSURI, "jwks")
		for _, k := range keys {
			out.Registered = append(out.Registered, k.KeyID)
		}
	case t.For(d.issuer) != nil:
		out.Field, out.Got, out.Member, out.Registered = "request.aud", t.Text("aud"), "issuer", []string{d.issuer}
	default: // its times, which no registration has
		return nil
	}
	return out
}

// noKey names the encryption that was registered without a key that fits.
func (d *desk) noKey(ctx context.Context, out *idp.Explained, c storage.Client) *idp.Explained {
	keys, _ := d.keys.Of(ctx, c, "") // none is what this is about
	sent := make([]string, 0, len(keys))
	for _, k := range keys {
		sent = append(sent, strings.TrimSpace(k.KeyID+" "+k.Algorithm))
	}
	out.Field, out.Got = cmp.Or(c.Keys.JWKSURI, "jwks"), strings.Join(sent, ", ")
	for _, one := range []struct {
		member string
		storage.Encryption
	}{
		{"id_token_encrypted_response_alg", c.Keys.IDTokenSeal}, {"userinfo_encrypted_response_alg", c.Keys.UserInfoSeal},
		{"authorization_encrypted_response_alg", c.Keys.ResponseSeal},
	} {
		if _, err := jwe.Pick(keys, one.Alg); one.Alg != "" && err != nil {
			out.Member, out.Registered = one.member, []string{one.Alg}
			return out
		}
	}
	return nil
}
