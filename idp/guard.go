package idp

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"tegata/claims"
	"tegata/claims/jsontext"
	"tegata/claims/mynumber"
)

// errEgress: something was about to leave that does not fit its declared kind. The response fails instead.
var errEgress = errors.New("idp: an outgoing member does not fit its kind")

// check says by which rule a value must not leave, "" when it may.
type check func(value jsontext.Token) string

// form holds a value to a syntax of its own, which leaves no room for a number of twelve digits.
func form(pattern string) check {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(value jsontext.Token) string {
		text, ok := value.Text()
		return unless(ok && re.MatchString(text))
	}
}

// unless is the rule that a value breaks which has not the form of its kind.
func unless(fits bool) string {
	if fits {
		return ""
	}
	return "form"
}

// text is free: only the detector can judge it.
func text(value jsontext.Token) string {
	s, ok := value.Text()
	if !ok {
		return "form"
	}
	if f, found := mynumber.Find(s); found {
		return string(f.Rule)
	}
	return ""
}

// given is the relying party's or the operator's own word, handed back: it may look like anything.
func given(value jsontext.Token) string {
	_, ok := value.Text()
	return unless(ok)
}

func boolean(value jsontext.Token) string { return unless(value == "true" || value == "false") }

// seconds since 1970: ten digits until the year 2286, never twelve.
func seconds(value jsontext.Token) string {
	return unless(value.Number() && len(value) <= 10 && !strings.ContainsAny(string(value), ".eE-"))
}

// municipality is a code with its own check digit.
func municipality(value jsontext.Token) string {
	code, ok := value.Text()
	return unless(ok && claims.ValidMunicipalityCode(code))
}

// handle is random or hashed, in base64url, with a letter: what is all digits could be a number.
var handle = form(`[0-9_-]*[A-Za-z][A-Za-z0-9_-]*`)

// outgoing declares the kind of every member that an ID token, userinfo or an introspection may have. What is not declared does not leave.
var outgoing = declare(map[string]check{
	"iss": form(`https?://[^\s]+`), "aud": given, "azp": given, "nonce": given,
	"sub": handle, "jti": handle, "sid": handle, "at_hash": handle, "c_hash": handle, "txn": handle,
	"exp": seconds, "iat": seconds, "auth_time": seconds, claims.Unverified: boolean,
	"active": boolean, "client_id": given, "scope": form(`[a-z0-9_]+( [a-z0-9_]+)*`), "token_type": form(`Bearer|DPoP`), "cnf.x5t#S256": handle, "cnf.jkt": handle,
	"acr": form(`[a-z][a-z0-9]{0,15}`), "amr": form(`[a-z]{2,16}`),
	"verified_claims.verification.trust_framework": form(`https?://[^\s]+/trust_framework/[a-z_]+`),
	"verified_claims.verification.assurance_level": form(`ial\d`),
	"verified_claims.verification.time":            form(`\d{4}-\d\d-\d\dT00:00:00Z`), // a day, never a moment
	evidence + "type":                              form(`document`), evidence + "check_details.check_method": form(`vcrypt|token`),
	evidence + "document_details.type": form(`[a-z_]+`), evidence + "document_details.issuer.country_code": form(`[A-Z]{3}`),
})

const evidence = "verified_claims.verification.evidence."

// aboutPerson are the members of claims about the person, alone and inside of verified_claims.
var aboutPerson = map[string]check{
	"name": text, "family_name": text, "given_name": text, "name_substituted": boolean, "birthdate": form(`\d{4}-\d\d-\d\d|\d{8}`), "gender": form(`male|female|[12]`),
	"address": text, "address.formatted": text, "address.street_address": text, "address.locality": text, "address.region": text,
	"address.country": form(`[A-Z]{2}`), "address.country_code": form(`[A-Z]{3}`),
	"address_prefecture": text, "address_prefecture_code": form(`\d\d`),
	"address_municipality": text, "address_municipality_code": municipality,
}

func declare(kinds map[string]check) map[string]check {
	for _, i := range claims.Catalogue() {
		if i.Predicate() {
			aboutPerson[string(i)], aboutPerson[i.Transformed()] = boolean, boolean
		}
	}
	for name, kind := range aboutPerson {
		for _, within := range []string{"", "verified_claims.claims."} {
			kinds[within+name] = kind
			first, rest, nested := strings.Cut(name, ".")
			if nested {
				rest = "." + rest
			}
			for _, tag := range claims.Tags {
				if slices.Contains([]string{"name", "family_name", "given_name", "address"}, first) {
					kinds[within+first+"#"+tag+rest] = kind
				}
			}
		}
	}
	return kinds
}

// inspect reads a response as its receiver will and gives the first member that must not leave, with the rule.
func inspect(payload []byte) (path, rule string) {
	r, ok := jsontext.Read(payload)
	if !ok {
		return "", "syntax"
	}
	return inspectValue(&r, r.Next(), "")
}

// inspectValue judges the value that begins with t.
func inspectValue(r *jsontext.Reader, t jsontext.Token, path string) (string, string) {
	switch t {
	case "{":
		return inspectObject(r, path)
	case "[":
		for t = r.Next(); t != "]"; t = r.Next() {
			if at, rule := inspectValue(r, t, path); rule != "" {
				return at, rule
			}
		}
		return "", ""
	}
	judge, declared := outgoing[path]
	if !declared {
		return "", "undeclared" // the name itself could be anything: it is not told
	}
	return path, judge(t)
}

func inspectObject(r *jsontext.Reader, path string) (string, string) {
	names := make([]string, 0, 16)
	for t := r.Next(); t != "}"; t = r.Next() {
		name, _ := t.Text()
		if slices.Contains(names, name) {
			return path, "duplicate" // receivers differ in which one they believe
		}
		names = append(names, name)
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		if at, rule := inspectValue(r, r.Next(), inner); rule != "" {
			return at, rule
		}
	}
	return "", ""
}

// guarded is the last gate before a response is signed or sent (R1). It fails closed, and says in the log which member and
// which rule, nothing of the value.
func (p *Provider) guarded(payload []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if path, rule := inspect(payload); rule != "" {
		p.Log.Error("a response was held back", "event", "egress_refused", "member", path, "rule", rule)
		return nil, errEgress
	}
	return payload, nil
}
