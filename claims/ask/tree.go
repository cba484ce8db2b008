package ask

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Bounds of a claims parameter. An honest one is a tenth of each.
const (
	MaxSize  = 8 << 10 // bytes
	maxDepth = 16
	maxNodes = 1000

	maxOwnNodes = 100_000 // of a response, which is our own work
)

var errSyntax = errors.New("ask: not JSON that everybody reads the same")

// object keeps the order of its members: answers come in the order of the questions.
type object []member

type member struct {
	name  string
	value any // nil, bool, string, json.Number, []any, object
}

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// reader reads JSON within bounds. Of two members with one name the next reader may believe the other one: refused.
type reader struct {
	*json.Decoder
	left int // values that may still come
}

func read(text []byte) (any, error) {
	if len(text) > MaxSize {
		return nil, errSyntax
	}
	return tree(text, maxNodes)
}

func tree(text []byte, nodes int) (any, error) {
	if !json.Valid(text) {
		return nil, errSyntax
	}
	r := reader{Decoder: json.NewDecoder(bytes.NewReader(text)), left: nodes}
	r.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return nil, errSyntax
	}
	return v, nil
}

func (r *reader) value(depth int) (any, error) {
	r.left--
	t, err := r.Token()
	switch {
	case err != nil || depth > maxDepth || r.left < 0:
		return nil, errSyntax
	case t == json.Delim('{'):
		return r.object(depth)
	case t == json.Delim('['):
		return r.array(depth)
	}
	return t, nil
}

func (r *reader) array(depth int) (any, error) {
	list := []any{}
	for r.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.Token()
	return list, err
}

func (r *reader) object(depth int) (any, error) {
	o := object{}
	seen := map[string]bool{}
	for r.More() {
		t, err := r.Token()
		name, ok := t.(string)
		if err != nil || !ok || seen[name] {
			return nil, errSyntax
		}
		seen[name] = true
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, v})
	}
	_, err := r.Token()
	return o, err
}

// plain is a value as encoding/json reads it into an any.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.name] = plain(m.value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	}
	return v
}
