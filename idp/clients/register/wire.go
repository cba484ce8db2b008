package register

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"tegata/authn"
	"tegata/idp/clients"
	"tegata/idp/jwt"
)

type reply struct {
	status int
	body   map[string]any // nil: none
}

// fault is a mistake of the caller, in OAuth's words.
type fault struct {
	status int
	word   string
	text   string
}

func (f fault) Error() string { return f.word }

func wrong(word, text string) fault { return fault{http.StatusBadRequest, word, text} }

var (
	noToken  = fault{http.StatusUnauthorized, "", ""} // RFC 6750 section 3: nothing is said to those who showed nothing
	badToken = fault{http.StatusUnauthorized, "invalid_token", "the token is not good here, or no longer."}
)

// refused tells everything that is wrong at once. Quotation marks have no place in an error_description (RFC 6749
// section 5.2).
func refused(problems []clients.Problem) fault {
	word := "invalid_redirect_uri"
	texts := make([]string, len(problems))
	for i, p := range problems {
		if !strings.HasPrefix(p.Field, "redirect_uris") {
			word = "invalid_client_metadata"
		}
		texts[i] = strings.ReplaceAll(p.String(), `"`, "'")
	}
	return wrong(word, strings.Join(texts, " "))
}

// bearer reads the token from the header, its only place.
func bearer(r *http.Request) (authn.Secret, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret, ok := authn.ParseSecret(token)
	return secret, ok && strings.EqualFold(scheme, "Bearer") && len(r.Header.Values("Authorization")) == 1
}

// answer adapts a handler: bounded body in, JSON or nothing out, never kept by anybody.
func (d *Desk) answer(handle func(*http.Request) (reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		out, err := handle(r)
		var f fault
		if err != nil && !errors.As(err, &f) {
			d.Log.ErrorContext(r.Context(), "registration failed", "cause", err.Error())
			f = fault{http.StatusServiceUnavailable, "temporarily_unavailable", "try again later."}
		}
		if err != nil {
			out = reply{f.status, f.body()}
			if f.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", f.challenge())
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Pragma", "no-cache")
		if out.body == nil {
			w.WriteHeader(out.status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(out.status)
		_ = json.NewEncoder(w).Encode(out.body) // the client may be gone; there is nobody to tell
	}
}

func (f fault) body() map[string]any {
	if f.word == "" {
		return nil
	}
	return map[string]any{"error": f.word, "error_description": f.text}
}

func (f fault) challenge() string {
	if f.word == "" {
		return `Bearer realm="tegata"`
	}
	return `Bearer realm="tegata", error="` + f.word + `"`
}

// ours are members that only we set: a client that sends one means something that we would ignore.
var ours = []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}

// metadata reads the request's body.
func (d *Desk) metadata(r *http.Request) (clients.Metadata, error) {
	var m clients.Metadata
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return m, wrong("invalid_client_metadata", "the metadata must be sent as application/json.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return m, wrong("invalid_client_metadata", "the metadata is larger than 128 KiB, or did not arrive.")
	}
	var members map[string]json.RawMessage
	if jwt.Unambiguous(body) != nil || json.Unmarshal(body, &members) != nil || members == nil {
		return m, wrong("invalid_client_metadata", "the metadata must be one JSON object, with no member twice.")
	}
	for _, name := range ours {
		if _, has := members[name]; has {
			return m, wrong("invalid_request", name+" is for us to say: leave it out (RFC 7592 section 2.2).")
		}
	}
	if statement, has := members["software_statement"]; has {
		return m, unapproved(statement)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, wrong("invalid_client_metadata", err.Error())
	}
	return m, nil
}

// unapproved refuses a software statement (RFC 7591 section 3.2.2): nobody is trusted here to vouch for software, and to go
// on without what it says would be to register something else.
func unapproved(raw json.RawMessage) fault {
	var compact string
	if json.Unmarshal(raw, &compact) != nil || !signed(compact) {
		return wrong("invalid_software_statement", "software_statement is not a signed JWT; and this server takes none: send the metadata itself.")
	}
	return wrong("unapproved_software_statement", "this server approves of no issuer of software statements: leave software_statement out and send the metadata itself.")
}

func signed(compact string) bool {
	parts := strings.Split(compact, ".")
	return len(parts) == 3 && parts[2] != "" && !slices.ContainsFunc(parts[:2], func(part string) bool {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		var object map[string]any
		return err != nil || json.Unmarshal(raw, &object) != nil || object == nil
	})
}
