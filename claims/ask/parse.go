package ask

import (
	"strconv"

	"tegata/claims"
)

// Error says where a request is wrong. The path is made of words of the specifications and of names in the catalogue: it
// never quotes what nobody knows.
type Error struct {
	Path string
}

func (e *Error) Error() string { return "ask: " + e.Path + " is malformed" }

// Request is a claims parameter. The zero Request asks for nothing.
type Request struct {
	IDToken  Target
	UserInfo Target
	Rules    Rules
}

// Target is what one response is asked for.
type Target struct {
	Claims   []Claim    // about the person
	Verified []Verified // about the person, with how it was verified

	Subjects []string // whom the answer may be about; nil: anybody
	ACR      []string // of which the login must be worth one; nil: whatever it is worth
	AuthTime bool
}

// Claim is one claim that was asked for by name.
type Claim struct {
	Path  string // in the request, for its developer
	Claim claims.Claim
	OneOf []any // condition on its value; nil: none

	Essential bool // the relying party says that it needs it (OIDC Core 5.5.1); the person decides all the same
}

// Parse reads the text of a claims parameter. What it does not know it ignores, as the specifications have it; what is
// known and malformed is an *Error, and so are definitions of transformed claims: on a birthdate they would be a
// search for it.
func Parse(text string) (Request, error) {
	root, err := read([]byte(text))
	if err != nil {
		return Request{}, &Error{"claims"}
	}
	var p parser
	o := p.object(root, "claims")
	r := Request{Rules: p.advanced(o)}
	p.free = r.Rules.Given
	r.IDToken, r.UserInfo = p.target(o, "id_token"), p.target(o, "userinfo")
	if p.wrong != "" {
		return Request{}, &Error{p.wrong}
	}
	return r, nil
}

// parser keeps the first mistake and goes on with zero values.
type parser struct {
	wrong string
	free  bool // conditions on values are void: there are rules in their place
}

func (p *parser) refuse(path string) {
	if p.wrong == "" {
		p.wrong = path
	}
}

func (p *parser) object(v any, path string) object {
	o, ok := v.(object)
	if !ok {
		p.refuse(path)
	}
	return o
}

// advanced reads _asc. Functions of a relying party's own are refused (transformed_claims_max_count is 0); older drafts had
// them beside the claims.
func (p *parser) advanced(o object) Rules {
	if _, found := o.get("transformed_claims"); found {
		p.refuse("claims.transformed_claims")
	}
	v, found := o.get("_asc")
	if !found {
		return Rules{}
	}
	asc := p.object(v, "claims._asc")
	if v, found = asc.get("transformed_claims"); found && len(p.object(v, "claims._asc.transformed_claims")) > 0 {
		p.refuse("claims._asc.transformed_claims")
	}
	return p.rules(asc)
}

func (p *parser) target(root object, name string) Target {
	v, found := root.get(name)
	if !found {
		return Target{}
	}
	path := "claims." + name
	var t Target
	for _, m := range p.object(v, path) {
		at := path + "." + m.name
		switch {
		case m.name == "verified_claims":
			t.Verified = p.verified(m.value, at)
		case m.name == "sub":
			t.Subjects, _ = p.words(m.value, at)
		case name == "id_token" && m.name == "acr":
			if words, essential := p.words(m.value, at); essential { // a wish changes nothing: every login is the best it can be
				t.ACR = words
			}
		case name == "id_token" && m.name == "auth_time":
			p.claim(m.value, at)
			t.AuthTime = true
		default:
			t.Claims = p.add(t.Claims, m, path)
		}
	}
	return t
}

// add reads a claim that the catalogue knows.
func (p *parser) add(list []Claim, m member, path string) []Claim {
	known, ok := claims.ParseClaim(m.name)
	if !ok {
		return list
	}
	at := path + "." + known.Text()
	oneOf, essential := p.claim(m.value, at)
	if p.free {
		oneOf = nil
	}
	return append(list, Claim{Path: at, Claim: known, OneOf: oneOf, Essential: essential})
}

// claim reads null or the object behind a claim's name (OIDC Core 5.5.1).
func (p *parser) claim(v any, path string) (oneOf []any, essential bool) {
	if v == nil {
		return nil, false
	}
	o := p.object(v, path)
	if v, found := o.get("essential"); found {
		var ok bool
		if essential, ok = v.(bool); !ok {
			p.refuse(path + ".essential")
		}
	}
	value, one := o.get("value")
	values, several := o.get("values")
	switch {
	case one && several: // nobody says which counts
		p.refuse(path + ".values")
	case one:
		return []any{plain(value)}, essential
	case several:
		list, ok := plain(values).([]any)
		if !ok || len(list) == 0 {
			p.refuse(path + ".values")
		}
		return list, essential
	}
	return nil, essential
}

// words is claim where every value must be a text.
func (p *parser) words(v any, path string) (words []string, essential bool) {
	oneOf, essential := p.claim(v, path)
	for _, one := range oneOf {
		word, ok := one.(string)
		if !ok {
			p.refuse(path + ".value")
		}
		words = append(words, word)
	}
	return words, essential
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
