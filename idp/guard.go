package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"

	"tegata/claims"
	"tegata/claims/mynumber"
)

// errEgress: something was about to leave that does not fit its declared kind. The response fails instead.
var errEgress = errors.New("idp: an outgoing member does not fit its kind")

// check says by which rule a value must not leave, "" when it may.
type check func(value any) string

// form holds a value to a syntax of its own, which leaves no room for a number of twelve digits.
func form(pattern string) check {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(value any) string {
		if text, ok := value.(string); ok && re.MatchString(text) {
			return ""
		}
		return "form"
	}
}

// text is free: only the detector can judge it.
func text(value any) string {
	s, ok := value.(string)
	if !ok {
		return "form"
	}
	if f, found := mynumber.Find(s); found {
		return string(f.Rule)
	}
	return ""
}

// given is the relying party's or the operator's own word, handed back: it may look like anything.
func given(value any) string {
	if _, ok := value.(string); ok {
		return ""
	}
	return "form"
}

func boolean(value any) string {
	if _, ok := value.(bool); ok {
		return ""
	}
	return "form"
}

// seconds since 1970: ten digits until the year 2286, never twelve.
func seconds(value any) string {
	if n, ok := value.(json.Number); ok && len(n) <= 10 && !strings.ContainsAny(string(n), ".eE-") {
		return ""
	}
	return "form"
}

// municipality is a code with its own check digit.
func municipality(value any) string {
	if code, ok := value.(string); ok && claims.ValidMunicipalityCode(code) {
		return ""
	}
	return "form"
}

// handle is random or hashed, in base64url, with a letter: what is all digits could be a number.
var handle = form(`[0-9_-]*[A-Za-z][A-Za-z0-9_-]*`)

// outgoing declares the kind of every member that an ID token, userinfo or an introspection may have. What is not declared does not leave.
var outgoing = declare(map[string]check{
	"iss": form(`https?://[^\s]+`), "aud": given, "azp": given, "nonce": given,
	"sub": handle, "jti": handle, "sid": handle, "at_hash": handle, "c_hash": handle, "txn": handle,
	"exp": seconds, "iat": seconds, "auth_time": seconds,
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
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	path, rule = inspectValue(d, "")
	if rule != "" {
		return path, rule
	}
	if _, err := d.Token(); err != io.EOF {
		return "", "syntax"
	}
	return "", ""
}

func inspectValue(d *json.Decoder, path string) (string, string) {
	t, err := d.Token()
	switch {
	case err != nil:
		return path, "syntax"
	case t == json.Delim('{'):
		return inspectObject(d, path)
	case t == json.Delim('['):
		for d.More() {
			if at, rule := inspectValue(d, path); rule != "" {
				return at, rule
			}
		}
		_, err = d.Token()
		return path, unlessEnded(err)
	}
	judge, declared := outgoing[path]
	if !declared {
		return "", "undeclared" // the name itself could be anything: it is not told
	}
	return path, judge(t)
}

func inspectObject(d *json.Decoder, path string) (string, string) {
	var names []string
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return path, "syntax"
		}
		if slices.Contains(names, name) {
			return path, "duplicate" // receivers differ in which one they believe
		}
		names = append(names, name)
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		if at, rule := inspectValue(d, inner); rule != "" {
			return at, rule
		}
	}
	_, err := d.Token()
	return path, unlessEnded(err)
}

func unlessEnded(err error) string {
	if err != nil {
		return "syntax"
	}
	return ""
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
