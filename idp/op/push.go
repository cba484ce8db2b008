package op

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/authn/fail"
	"tegata/idp/clients"
	"tegata/idp/par"
	"tegata/storage"
)

// push is the endpoint for pushed authorization requests (RFC 9126). What it accepts, /authorize accepts: both ask the same
// functions.
type push struct {
	*authenticator
	desk *desk
}

func (p *push) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		zop.WriteError(w, r, oidc.ErrInvalidRequest().WithDescription("the form cannot be read"), p.idp.Log)
		return
	}
	uri, err := p.take(r)
	var wrong pushFault
	switch {
	case errors.As(err, &wrong):
		body, _ := json.Marshal(wrong) // two texts
		writeJSON(w, http.StatusBadRequest, body)
		return
	case err != nil:
		zop.WriteError(w, r, err, p.idp.Log)
		return
	}
	body, err := json.Marshal(struct {
		RequestURI string `json:"request_uri"`
		ExpiresIn  int    `json:"expires_in"`
	}{uri, int(par.Life / time.Second)})
	if err != nil {
		zop.WriteError(w, r, err, p.idp.Log)
		return
	}
	writeJSON(w, http.StatusCreated, body)
}

// take authenticates, validates and keeps. Its errors are ready to be written.
func (p *push) take(r *http.Request) (string, error) {
	ctx, form := r.Context(), r.PostForm
	c, err := p.authenticate(ctx, caller{Form: form, Header: r.Header, Path: PARPath, Chain: chainFrom(ctx)})
	if err != nil {
		return "", err
	}
	for _, credential := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(credential)
	}
	if form.Has("request_uri") { // RFC 9126 section 2.1
		return "", pushError(fail.RequestInvalid.At("request_uri"))
	}
	form.Set("client_id", c.ID)
	asked, err := p.desk.unwrapped(ctx, form, c)
	if err != nil {
		return "", p.fault(ctx, c, form, err)
	}
	if err := p.bind(r, asked); err != nil {
		return "", err
	}
	to, err := redirectOf(asked, c)
	if err != nil {
		return "", p.fault(ctx, c, asked, err)
	}
	req, err := requestOf(asked, c, to)
	if err == nil {
		err = p.idp.CanEncrypt(ctx, c, req)
	}
	if err != nil {
		return "", p.fault(ctx, c, asked, err)
	}
	uri, err := p.desk.pushed.Push(ctx, c.ID, asked)
	if err != nil {
		return "", protocolError(err, nil)
	}
	return uri, nil
}

// bind ties the request to the key of a proof that came along with it; a dpop_jkt in it must be that key's (RFC 9449
// section 10.1).
func (p *push) bind(r *http.Request, asked url.Values) error {
	key, err := proofs{p.idp, p.certs.Origin, p.nonces}.key(r.Context(), r.Header, PARPath)
	if err != nil || key == nil {
		return err
	}
	jkt := base64.RawURLEncoding.EncodeToString(key)
	if asked.Has("dpop_jkt") && asked.Get("dpop_jkt") != jkt {
		return badProof("dpop_jkt is another key's")
	}
	if !asked.Has("dpop_jkt") {
		asked.Set("dpop_jkt", jkt)
	}
	return nil
}

// pushFault is a mistake in the request, in OAuth's words.
type pushFault struct {
	Word string `json:"error"`
	Text string `json:"error_description"`
}

func (f pushFault) Error() string { return f.Word }

// fault is pushError with what would have fitted the registration, for a client that has proved to be it. Anybody may say
// that it is a public one.
func (p *push) fault(ctx context.Context, c storage.Client, v url.Values, err error) error {
	out := pushError(err)
	var fault pushFault
	why := p.desk.explained(ctx, c, v, err)
	if c.AuthMethod == clients.AuthNone || why == nil || !errors.As(out, &fault) {
		return out
	}
	if sent := plain(why.Got); !strings.HasSuffix(fault.Text, sent) { // a claim has said where it is
		fault.Text += "; sent: " + sent
	}
	fault.Text += "; " + why.Member + ": " + plain(strings.Join(why.Registered, " "))
	return fault
}

// plain keeps what an error_description may hold (RFC 6749 section 5.2), and no more of it than engineers read.
func plain(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// pushError tells an authenticated client which parameter is wrong.
func pushError(err error) error {
	e := fail.From(err)
	if e.Status >= http.StatusInternalServerError {
		return protocolError(err, nil)
	}
	out := pushFault{e.OAuth, e.Code}
	if e.OAuth == "" { // an untrusted redirect URI, which has no word for a redirect
		out.Word = "invalid_request"
	}
	if e.Field != "" {
		out.Text += ": " + e.Field
	}
	return out
}
