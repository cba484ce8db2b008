package rp

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// result is the page that shows what came, where each thing came from, and what did not come.
type result struct {
	Ask      ask
	Verdict  string // key of the headline: what the shop concludes
	Subject  string
	Received []received
	Missing  []string // items that were asked for and did not come
	Never    []string // items that this shop did not ask for, so it does not have them
	Methods  []string // how the person logged in, if the ID token says (RFC 8176)
	Payload  string   // the ID token's claims, indented
	UserInfo string   // the userinfo answer, indented
}

type received struct {
	Name, Label, Value    string
	InIDToken, InUserInfo bool
}

// items are what the scopes of this shop can bring, in the order of the page.
var items = []string{"age_over_18", "age_over_20", "name", "address", "birthdate", "gender"}

// protocolClaims say something about the login, not about the person (OIDC Core 2, RFC 7519 4.1).
var protocolClaims = []string{
	"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "azp", "at_hash", "c_hash", "sid",
}

func (s *shop) result(w http.ResponseWriter, r *http.Request) {
	c, ok := s.customer(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	res, err := s.pages.describe(s.pages.language(r), c)
	if err != nil {
		s.sorry(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "result", view{Result: res})
}

func (p pages) describe(lang string, c customer) (*result, error) {
	var fromToken, fromInfo map[string]any
	if err := json.Unmarshal(c.payload, &fromToken); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(c.userinfo, &fromInfo); err != nil {
		return nil, err
	}
	res := &result{Ask: c.ask, Subject: c.subject, Verdict: verdict(c.ask, fromToken), Payload: indented(c.payload), UserInfo: indented(c.userinfo)}
	for _, name := range claimNames(fromToken, fromInfo) {
		value, inToken := fromToken[name]
		info, inInfo := fromInfo[name]
		if !inToken {
			value = info
		}
		res.Received = append(res.Received, received{
			Name: name, Label: p.say(lang, "item."+name, name), Value: p.text(lang, name, value),
			InIDToken: inToken, InUserInfo: inInfo,
		})
	}
	for _, name := range items {
		switch {
		case slices.ContainsFunc(res.Received, func(r received) bool { return r.Name == name }):
		case slices.Contains(c.ask.Scopes, name):
			res.Missing = append(res.Missing, p.say(lang, "item."+name, name))
		default:
			res.Never = append(res.Never, p.say(lang, "item."+name, name))
		}
	}
	if c.ask.Name == "profile" && len(res.Missing) > 0 {
		res.Verdict += ".partial"
	}
	methods, _ := fromToken["amr"].([]any)
	for _, m := range methods {
		if code, ok := m.(string); ok {
			res.Methods = append(res.Methods, p.say(lang, "amr."+code, code))
		}
	}
	return res, nil
}

// verdict is the shop's decision. An age counts only as the signed word of the provider, as a real
// true: absent, "true" in quotes or from userinfo alone is not yes.
func verdict(a ask, fromToken map[string]any) string {
	if !strings.HasPrefix(a.Name, "age_over_") {
		return "result." + a.Name
	}
	answer, said := fromToken[a.Name].(bool)
	switch {
	case answer:
		return "result." + a.Name + ".yes"
	case said:
		return "result." + a.Name + ".no"
	}
	return "result.age_unknown"
}

// claimNames lists the claims about the person: the known items first, then whatever else came.
func claimNames(sets ...map[string]any) []string {
	all := map[string]bool{}
	for _, set := range sets {
		for name := range set {
			all[name] = !slices.Contains(protocolClaims, name)
		}
	}
	var names []string
	for _, name := range append(slices.Clone(items), slices.Sorted(maps.Keys(all))...) {
		if all[name] {
			names = append(names, name)
			all[name] = false
		}
	}
	return names
}

// text writes a claim's value for people.
func (p pages) text(lang, name string, value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return p.say(lang, "yes", "true")
		}
		return p.say(lang, "no", "false")
	case string:
		return p.say(lang, "value."+name+"."+v, v)
	case map[string]any:
		if whole, ok := v["formatted"].(string); ok { // address (OIDC Core 5.1.1)
			return whole
		}
	}
	whole, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(whole)
}

// claimsOf returns the raw claims of an ID token or a userinfo answer.
func claimsOf(source interface{ Claims(any) error }) ([]byte, error) {
	var raw json.RawMessage
	err := source.Claims(&raw)
	return raw, err
}

func indented(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return ""
	}
	return b.String()
}
