package ask

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"

	"tegata/claims"
)

// ErrResponse: what was to be settled is not a response of ours. The text carries no part of it.
var ErrResponse = errors.New("ask: a response is no JSON object")

// Settled is what remains of two responses.
type Settled struct {
	Abort    bool // nothing does
	IDToken  []byte
	UserInfo []byte
	Items    []claims.Item // that are still in one of them, in the order of the catalogue
}

// Settle applies the rules to what would be sent. It only ever takes away. Everything that was agreed to is in the
// responses already and nothing else, so a rule cannot tell a person who said no from one of whom nothing is known.
// Error: ErrResponse.
func (r Rules) Settle(idToken, userInfo []byte) (Settled, error) {
	var out Settled
	id, err1 := document(idToken)
	info, err2 := document(userInfo)
	if err1 != nil || err2 != nil {
		return out, ErrResponse
	}
	if !id.follow(r.IDToken) || !info.follow(r.UserInfo) {
		return Settled{Abort: true}, nil
	}
	id.hush()
	info.hush()
	out.IDToken, out.UserInfo = encode(id), encode(info)
	left := append(id.items(), info.items()...)
	out.Items = slices.DeleteFunc(claims.Catalogue(), func(i claims.Item) bool { return !slices.Contains(left, i) })
	return out, nil
}

// gone stands where something was omitted, so that the pointers of later rules still count as before.
type gone struct{}

func document(text []byte) (object, error) {
	v, err := tree(text, maxOwnNodes)
	o, ok := v.(object)
	if err != nil || !ok {
		return nil, ErrResponse
	}
	return o, nil
}

// follow carries the rules out in their order, false on an abort.
func (o object) follow(rules []Rule) bool {
	for _, r := range rules {
		if found, ok := find(o, r.Loc, nil); ok && r.met(found) {
			continue
		}
		if r.Abort {
			return false
		}
		for _, what := range r.What {
			find(o, what, gone{})
		}
		shrink(o, "")
	}
	return true
}

func (r Rule) met(found any) bool {
	return r.OneOf == nil || slices.ContainsFunc(r.OneOf, func(one any) bool { return reflect.DeepEqual(one, found) })
}

// find gives the element at a pointer, and puts something else there unless that is nil.
func find(v any, p Pointer, instead any) (found any, ok bool) {
	step := func(at *any) (any, bool) {
		switch {
		case *at == gone{}:
			return nil, false
		case len(p) > 1:
			return find(*at, p[1:], instead)
		}
		found := *at
		if instead != nil {
			*at = instead
		}
		return found, true
	}
	switch v := v.(type) {
	case object:
		for i := range v {
			if v[i].name == p[0] {
				return step(&v[i].value)
			}
		}
	case []any:
		if i, err := strconv.Atoi(p[0]); err == nil && i >= 0 && i < len(v) && strconv.Itoa(i) == p[0] {
			return step(&v[i])
		}
	}
	return nil, false
}

// needed is what an element cannot be without: by the schema of Identity Assurance it goes with it.
var needed = map[string][]string{
	"verified_claims": {"verification", "claims"}, "verification": {"trust_framework"},
	"evidence": {"type"}, "check_details": {"check_method"}, "document_details": {"type"},
}

// shrink lets go of what has become empty or incomplete; alive says whether v itself has anything left.
func shrink(v any, name string) (alive bool) {
	switch v := v.(type) {
	case gone:
		return false
	case object:
		for i := range v {
			if !shrink(v[i].value, v[i].name) {
				v[i].value = gone{}
			}
			alive = alive || v[i].value != any(gone{})
		}
		return alive && !slices.ContainsFunc(needed[name], func(member string) bool {
			_, there := find(v, Pointer{member}, nil)
			return !there
		})
	case []any:
		for i := range v {
			if !shrink(v[i], name) {
				v[i] = gone{}
			}
			alive = alive || v[i] != any(gone{})
		}
		return alive
	}
	return true
}

// items are the items of the claims that are left.
func (o object) items() []claims.Item {
	var left []claims.Item
	for _, m := range o {
		if m.value == any(gone{}) {
			continue
		}
		if known, ok := claims.ParseClaim(m.name); ok {
			left = append(left, known.Item())
		}
		elements, _ := m.value.([]any)
		if one, ok := m.value.(object); ok {
			elements = []any{one}
		}
		for _, element := range elements {
			if one, ok := element.(object); ok && m.name == "verified_claims" {
				set, _ := one.get("claims")
				inner, _ := set.(object)
				left = append(left, inner.items()...)
			}
		}
	}
	return left
}

// hush takes away the word on claims that are all gone.
func (o object) hush() {
	if len(o.items()) == 0 {
		find(o, Pointer{claims.Unverified}, gone{})
	}
}

// encode writes what is left, in the order in which it was.
func encode(v any) []byte {
	var b bytes.Buffer
	write(&b, v)
	return b.Bytes()
}

func write(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		between := ""
		for _, m := range v {
			if m.value != any(gone{}) {
				b.WriteString(between)
				scalar(b, m.name)
				b.WriteByte(':')
				write(b, m.value)
				between = ","
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		between := ""
		for _, one := range v {
			if one != any(gone{}) {
				b.WriteString(between)
				write(b, one)
				between = ","
			}
		}
		b.WriteByte(']')
	default:
		scalar(b, v)
	}
}

// scalar writes a value that was read from JSON, which cannot fail.
func scalar(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("ask: " + err.Error())
	}
	b.Truncate(b.Len() - 1) // the line break
}
