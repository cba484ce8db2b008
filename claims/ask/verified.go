package ask

import (
	"encoding/json"
	"slices"
	"strconv"
)

// maxVerified is how many verified_claims elements one response may be asked for.
const maxVerified = 10

// Verified is one element of a verified_claims request.
type Verified struct {
	Verification Verification
	Claims       []Claim
}

// Verification says what a relying party wants to hear of a verification, and its conditions.
type Verification struct {
	TrustFramework Text
	AssuranceLevel Text
	Time           Time
	Evidence       []Evidence // alternatives; nil: not asked
	Unmeetable     bool       // a condition on something that is never said here
}

// Text is one word of the answer.
type Text struct {
	Asked bool
	OneOf []string // condition; nil: none
}

// Time is a day of the answer.
type Time struct {
	Asked  bool
	MaxAge *int64   // condition, seconds; nil: none
	OneOf  []string // condition; nil: none
}

// Evidence describes the evidence that a relying party takes.
type Evidence struct {
	Type       Text
	Checks     []Text // check_method of each alternative; nil: not asked
	Document   *Document
	Unmeetable bool
}

// Document is asked of evidence of type document.
type Document struct {
	Type    Text
	Country Text // country_code of the issuer
}

// evidenceTypes are all that Identity Assurance has.
var evidenceTypes = []string{"document", "electronic_record", "vouch", "electronic_signature"}

// verified reads an element or an array of them.
func (p *parser) verified(v any, path string) []Verified {
	list, many := v.([]any)
	if !many {
		return []Verified{p.element(v, path)}
	}
	if len(list) == 0 || len(list) > maxVerified {
		p.refuse(path)
		return nil
	}
	var out []Verified
	for i, one := range list {
		out = append(out, p.element(one, index(path, i)))
	}
	return out
}

func (p *parser) element(v any, path string) Verified {
	var out Verified
	o := p.object(v, path)
	for _, m := range o {
		if m.name != "verification" && m.name != "claims" {
			p.refuse(path)
		}
	}
	verification, _ := o.get("verification") // absent, it is no object
	out.Verification = p.verification(verification, path+".verification")
	asked, found := o.get("claims")
	switch list, ok := asked.(object); {
	case !found, asked != nil && !ok, ok && len(list) == 0:
		p.refuse(path + ".claims")
	default:
		for _, m := range list {
			out.Claims = p.add(out.Claims, m, path+".claims")
			p.shaped(m.value, path+".claims")
		}
	}
	return out
}

// shaped holds what is asked under a name, known or not, to the schema of Identity Assurance: null, or an object in which
// essential is true or false.
func (p *parser) shaped(v any, path string) {
	if v == nil {
		return
	}
	o := p.object(v, path)
	if essential, found := o.get("essential"); found && essential != true && essential != false {
		p.refuse(path)
	}
}

func (p *parser) verification(v any, path string) Verification {
	var out Verification
	o := p.object(v, path)
	if _, found := o.get("trust_framework"); !found {
		p.refuse(path + ".trust_framework")
	}
	for _, m := range o {
		switch at := path + "." + m.name; m.name {
		case "trust_framework":
			out.TrustFramework = p.text(m.value, at)
		case "assurance_level":
			out.AssuranceLevel = p.text(m.value, at)
		case "time":
			out.Time = p.time(m.value, at)
		case "evidence":
			out.Evidence = p.evidence(m.value, at)
		case "verification_process", "assurance_process":
			p.never(m.value, at)
			fallthrough
		default:
			out.Unmeetable = out.Unmeetable || p.conditional(m.value)
		}
	}
	return out
}

// text reads an element that may be limited to some words.
func (p *parser) text(v any, path string) Text {
	words, _ := p.words(v, path)
	if p.free {
		words = nil
	}
	return Text{Asked: true, OneOf: words}
}

// time reads an element that may be limited in age.
func (p *parser) time(v any, path string) Time {
	t := Time{Asked: true}
	if v == nil {
		return t
	}
	t.OneOf = p.text(v, path).OneOf
	o := p.object(v, path)
	if limit, found := o.get("max_age"); found {
		seconds, ok := limit.(json.Number)
		n, err := strconv.ParseInt(string(seconds), 10, 64)
		if !ok || err != nil || n < 0 {
			p.refuse(path + ".max_age")
		}
		t.MaxAge = &n
	}
	return t
}

// never checks the form of an element that is not answered.
func (p *parser) never(v any, path string) {
	if v != nil {
		p.claim(v, path)
	}
}

func (p *parser) evidence(v any, path string) []Evidence {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		p.refuse(path)
	}
	var out []Evidence
	for i, one := range list {
		out = append(out, p.oneEvidence(one, index(path, i)))
	}
	return out
}

func (p *parser) oneEvidence(v any, path string) Evidence {
	var out Evidence
	o := p.object(v, path)
	kind, _ := o.get("type") // absent, it is no object
	if _, several := p.object(kind, path+".type").get("values"); several {
		p.refuse(path + ".type.values") // one entry is about one type
	}
	for _, m := range o {
		switch at := path + "." + m.name; m.name {
		case "type":
			out.Type = p.text(m.value, at)
			if slices.ContainsFunc(out.Type.OneOf, func(t string) bool { return !slices.Contains(evidenceTypes, t) }) {
				p.refuse(at + ".value")
			}
		case "check_details":
			out.Checks = p.checks(m.value, at)
		case "document_details":
			out.Document = p.document(m.value, at, &out.Unmeetable)
		default:
			out.Unmeetable = out.Unmeetable || p.conditional(m.value)
		}
	}
	return out
}

// checks reads the alternatives of check_details. One that has a condition on what is never said, such as the time of a
// check, is met by nothing.
func (p *parser) checks(v any, path string) []Text {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		p.refuse(path)
	}
	out := []Text{}
	for i, one := range list {
		o, at := p.object(one, index(path, i)), index(path, i)
		method, found := o.get("check_method")
		if !found {
			p.refuse(at + ".check_method")
		}
		t, never := p.text(method, at+".check_method"), false
		for _, m := range o {
			never = never || m.name != "check_method" && p.conditional(m.value)
		}
		if never {
			t.OneOf = []string{}
		}
		out = append(out, t)
	}
	return out
}

func (p *parser) document(v any, path string, unmeetable *bool) *Document {
	out := &Document{}
	for _, m := range p.object(v, path) {
		switch at := path + "." + m.name; m.name {
		case "type":
			out.Type = p.text(m.value, at)
		case "issuer":
			for _, part := range p.object(m.value, at) {
				if part.name == "country_code" {
					out.Country = p.text(part.value, at+".country_code")
				} else {
					*unmeetable = *unmeetable || p.conditional(part.value)
				}
			}
		default: // numbers and dates of the document
			*unmeetable = *unmeetable || p.conditional(m.value)
		}
	}
	return out
}

// conditional says whether an element that is never answered was asked for under a condition.
func (p *parser) conditional(v any) bool {
	switch v := v.(type) {
	case object:
		return slices.ContainsFunc(v, func(m member) bool {
			return !p.free && (m.name == "value" || m.name == "values") || m.name == "max_age" || p.conditional(m.value)
		})
	case []any:
		return slices.ContainsFunc(v, p.conditional)
	}
	return false
}
