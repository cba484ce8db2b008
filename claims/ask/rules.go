package ask

import (
	"slices"
	"strings"

	"tegata/claims"
)

// Bounds of selective abort and omit. An honest request has a handful.
const (
	maxRules  = 20 // of one response
	maxWhat   = 20 // elements that one rule omits
	maxTokens = 8  // of one pointer
)

// Rules are what a relying party wants to happen when a response would lack something (Advanced Syntax for Claims,
// "Selective Abort/Omit"). They are looked at when the person has agreed, never before (R27).
type Rules struct {
	Given    bool // all other conditions on values are then void
	IDToken  []Rule
	UserInfo []Rule
}

// Rule is one of them, about one element of the response.
type Rule struct {
	Loc   Pointer
	OneOf []any // what the element must equal; nil: it must be there
	Abort bool  // else nothing at all is sent; false: What stays out
	What  []Pointer
}

// Pointer is a JSON Pointer (RFC 6901) to an element of a response, never the whole of it.
type Pointer []string

// ofProtocol are members of the responses that are not about the person: no rule looks at them or takes them away.
var ofProtocol = []string{"iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "jti", "at_hash", "c_hash"}

// rules reads _asc.sao.
func (p *parser) rules(asc object) Rules {
	v, found := asc.get("sao")
	if !found {
		return Rules{}
	}
	const path = "claims._asc.sao"
	o := p.object(v, path)
	return Rules{Given: true, IDToken: p.rulesOf(o, "id_token", path), UserInfo: p.rulesOf(o, "userinfo", path)}
}

func (p *parser) rulesOf(o object, name, path string) []Rule {
	v, found := o.get(name)
	if !found {
		return nil
	}
	path += "." + name
	list, ok := v.([]any)
	if !ok || len(list) > maxRules {
		p.refuse(path)
		return nil
	}
	var out []Rule
	for i, one := range list {
		out = append(out, p.rule(one, index(path, i)))
	}
	return out
}

// rule refuses members that it does not know: a rule of which a part is not understood would do something else than its
// author means.
func (p *parser) rule(v any, path string) Rule {
	o := p.object(v, path)
	for _, m := range o {
		if !slices.Contains([]string{"loc", "method", "value", "values", "else", "what"}, m.name) {
			p.refuse(path) // schema is one of them: it is not supported, as the metadata say
		}
	}
	loc, _ := o.get("loc")
	r := Rule{Loc: p.pointer(loc, path+".loc"), OneOf: p.match(o, path)}
	switch otherwise, _ := o.get("else"); otherwise {
	case "abort":
		r.Abort = true
	case "omit":
		r.What = []Pointer{r.Loc}
	default:
		p.refuse(path + ".else")
	}
	if what, found := o.get("what"); found {
		r.What = p.what(what, r.Abort, path+".what")
	}
	return r
}

// match reads method and what goes with it.
func (p *parser) match(o object, path string) []any {
	value, one := o.get("value")
	values, several := o.get("values")
	switch method, given := o.get("method"); {
	case !given, method == "exists":
		if one || several {
			p.refuse(path + ".method")
		}
		return nil
	case method != "simple":
		p.refuse(path + ".method")
		return nil
	}
	list, ok := values.([]any)
	if one {
		list, ok = []any{value}, true
	}
	scalar := func(v any) bool {
		_, isObject := v.(object)
		_, isList := v.([]any)
		return v != nil && !isObject && !isList
	}
	if one == several || !ok || len(list) == 0 || slices.ContainsFunc(list, func(v any) bool { return !scalar(v) }) {
		p.refuse(path + ".value")
	}
	return list
}

func (p *parser) what(v any, abort bool, path string) []Pointer {
	list, ok := v.([]any)
	if !ok || abort || len(list) == 0 || len(list) > maxWhat {
		p.refuse(path)
	}
	var out []Pointer
	for i, one := range list {
		out = append(out, p.pointer(one, index(path, i)))
	}
	return out
}

// pointer reads a JSON Pointer. Claims are named as answers name them, so that a tag may be written in any case.
func (p *parser) pointer(v any, path string) Pointer {
	text, _ := v.(string)
	rest, rooted := strings.CutPrefix(text, "/")
	tokens := strings.Split(rest, "/")
	if !rooted || len(tokens) > maxTokens {
		p.refuse(path)
		return nil
	}
	for i, token := range tokens {
		plain := strings.NewReplacer("~0", "", "~1", "").Replace(token)
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if known, ok := claims.ParseClaim(token); ok {
			token = known.Text()
		}
		if strings.Contains(plain, "~") || i == 0 && slices.Contains(ofProtocol, token) {
			p.refuse(path)
		}
		tokens[i] = token
	}
	return tokens
}
