package op

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	zop "github.com/zitadel/oidc/v3/pkg/op"

	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/dpop"
	"tegata/idp/jwt"
	"tegata/idp/limit"
	"tegata/storage"
)

// AssertionLife is how long a client assertion is good after its iat, and AssertionExp how far ahead its exp may be: an
// hour is what common libraries write.
const (
	AssertionLife = 5 * time.Minute
	AssertionExp  = time.Hour
)

// caller is a request of the back channel as far as it says who sends it.
type caller struct {
	Form   url.Values
	Header http.Header
	Path   string // of the endpoint
	Chain  chain
}

// authenticator finds out which client calls (RFC 6749 section 2.3). Token endpoint, pushed requests and all others share
// it.
type authenticator struct {
	idp    *idp.Provider
	keys   *fetch.Keys
	certs  Certificates
	limits limit.Limits
	nonces *dpop.Nonces
}

// refusal is what every failed authentication reads like; cause is for our log.
type refusal struct{ cause string }

func (r refusal) Error() string { return r.cause }

// presented is the one way in which a caller proves itself.
type presented struct {
	method   string // none also stands for a certificate
	id       string
	secret   string
	assertJW jwt.Token
}

// authenticate returns the client of a request. The error is ready to be written: an unknown client, a wrong secret and a
// bad signature read the same. Only who has proved to hold the client's key hears what is wrong with its assertion.
func (a *authenticator) authenticate(ctx context.Context, from caller) (storage.Client, error) {
	p, err := from.presented()
	if err != nil {
		return storage.Client{}, err
	}
	c, err := a.idp.Registered(ctx, p.id)
	if err != nil {
		return storage.Client{}, protocolError(err, invalidClient(""))
	}
	err = a.prove(ctx, c, p, from)
	var refused refusal
	var told jwt.Problem
	var wrong mistake
	switch {
	case errors.As(err, &wrong):
		a.idp.Log.InfoContext(ctx, "client authentication refused", "event", "client_refused", "client", c.ID, "cause", string(wrong))
		return storage.Client{}, invalidClient(string(wrong))
	case errors.As(err, &told):
		a.idp.Log.InfoContext(ctx, "client assertion refused", "event", "client_refused", "client", c.ID, "cause", string(told))
		return storage.Client{}, invalidClient("client_assertion: " + string(told))
	case errors.As(err, &refused):
		a.idp.Log.LogAttrs(ctx, slog.LevelInfo, "client authentication refused", slog.String("event", "client_refused"),
			slog.String("client", c.ID), slog.String("cause", refused.cause))
		return storage.Client{}, invalidClient("")
	case err != nil:
		return storage.Client{}, protocolError(err, invalidClient(""))
	case c.Registration.Pending: // told to its developer alone, who has just proved to be it
		return storage.Client{}, oidc.ErrUnauthorizedClient().WithDescription("the client is registered and waits for the operator's approval")
	}
	if c.AuthMethod == clients.AuthNone { // anybody can say that it is this one: its callers are limited, by their address
		return c, nil
	}
	if _, ok := a.limits.Take(a.limits.Clients, "client", c.ID); !ok {
		return storage.Client{}, zop.NewStatusError((&oidc.Error{ErrorType: "temporarily_unavailable"}).WithDescription("too many requests"), http.StatusTooManyRequests)
	}
	return c, nil
}

func invalidClient(text string) error {
	e := oidc.ErrInvalidClient()
	if text != "" {
		e = e.WithDescription("%s", text)
	}
	return zop.NewStatusError(e, http.StatusUnauthorized)
}

// presented reads the credentials. More than one way, or any parameter twice, is an error of its own (RFC 6749 sections 2.3
// and 3.2).
func (from caller) presented() (presented, error) {
	if err := once(from.Form); err != nil {
		return presented{}, err
	}
	if len(from.Header.Values("Authorization")) > 1 {
		return presented{}, oidc.ErrInvalidRequest().WithDescription("the client authenticates in more than one way")
	}
	header, secret, compact := from.Header.Get("Authorization"), from.Form.Get("client_secret"), from.Form.Get("client_assertion")
	p := presented{method: clients.AuthNone, id: from.Form.Get("client_id")}
	switch n := ways(header, secret, compact); {
	case n > 1:
		return p, oidc.ErrInvalidRequest().WithDescription("the client authenticates in more than one way")
	case header != "":
		return p, p.basic(from.Header)
	case compact != "":
		return p, p.assertion(compact, from.Form.Get("client_assertion_type"))
	case secret != "":
		p.method, p.secret = clients.AuthPost, secret
	}
	return p, nil
}

func ways(presented ...string) (n int) {
	for _, text := range presented {
		if text != "" {
			n++
		}
	}
	return n
}

func (p *presented) basic(h http.Header) error {
	name, password, ok := (&http.Request{Header: h}).BasicAuth()
	id, err1 := url.QueryUnescape(name)
	secret, err2 := url.QueryUnescape(password)
	if !ok || err1 != nil || err2 != nil || p.id != "" && p.id != id {
		return invalidClient("")
	}
	p.method, p.id, p.secret = clients.AuthBasic, id, secret
	return nil
}

func (p *presented) assertion(compact, kind string) error {
	if kind != oidc.ClientAssertionTypeJWTAssertion {
		return oidc.ErrInvalidRequest().WithDescription("client_assertion_type is not " + oidc.ClientAssertionTypeJWTAssertion)
	}
	token, err := jwt.Parse(compact, jwt.ClientAssertion)
	if err != nil {
		return invalidClient("")
	}
	id := token.Text("iss") // nobody's word yet: it only says whose keys to try
	if p.id != "" && p.id != id {
		return invalidClient("")
	}
	p.method, p.id, p.assertJW = clients.AuthKey, id, token
	return nil
}

// prove checks the credentials against the registration: the one registered method and no other.
func (a *authenticator) prove(ctx context.Context, c storage.Client, p presented, from caller) error {
	switch c.AuthMethod {
	case clients.AuthTLS, clients.AuthSelfSigned:
		err := a.proveCertificate(ctx, c, from.Chain)
		if p.method != clients.AuthNone {
			return anotherWay(c, p, err == nil)
		}
		return err
	case p.method:
	default:
		return anotherWay(c, p, clients.HasSecret(c.AuthMethod) && p.secret != "" && clients.CheckSecret(c, p.secret))
	}
	switch {
	case p.method == clients.AuthKey:
		return a.proveAssertion(ctx, c, p.assertJW, from.Path)
	case p.method != clients.AuthNone && !clients.CheckSecret(c, p.secret):
		return refusal{"wrong secret"}
	}
	return nil
}

// anotherWay refuses a way that was not registered. Who has shown the client's own secret or certificate in it is the
// client, and hears which one was; there is no page on which its developers could read it.
func anotherWay(c storage.Client, p presented, proved bool) error {
	if !proved {
		return refusal{"another method than the registered one"}
	}
	return mistake("token_endpoint_auth_method is " + c.AuthMethod + ", and " + p.method + " was used")
}

// mistake is what a client did wrong that has proved to be it. Its text names methods and algorithms, and quotes no secret.
type mistake string

func (m mistake) Error() string { return string(m) }

// proveAssertion is OpenID Connect Core section 9 and RFC 7523 section 3, as narrow as FAPI 2.0 has it.
func (a *authenticator) proveAssertion(ctx context.Context, c storage.Client, t jwt.Token, path string) error {
	if t.Text("sub") != c.ID {
		return refusal{"the assertion's sub is another"}
	}
	keys, err := a.keys.Of(ctx, c, t.Header.KeyID)
	if err != nil {
		return refusal{err.Error()}
	}
	if err := t.Verify(keys); err != nil {
		return refusal{err.Error()}
	}
	if !clients.AcceptsAlg(c, c.Keys.AssertionAlg, t.Header.Alg) {
		return mistake("client_assertion: alg is " + t.Header.Alg + ", and token_endpoint_auth_signing_alg allows " +
			strings.Join(clients.AcceptedAlgs(c, c.Keys.AssertionAlg), " "))
	}
	until, err := t.FreshSince(a.idp.Now(), AssertionLife, AssertionExp)
	if err != nil {
		return err
	}
	if err := a.addressed(t, c, path); err != nil {
		return err
	}
	if t.Text("jti") == "" {
		return jwt.Problem("jti is missing")
	}
	err = a.idp.Store.Spend(ctx, storage.Spent{Hash: jtiHash(c.ID, t.Text("jti")), Until: until.Add(jwt.Skew)})
	if errors.Is(err, storage.ErrSpent) {
		return jwt.Problem("jti was used before")
	}
	return err
}

// addressed says whether an assertion is for us (FAPI 2.0 section 5.3.2.1 for those whom the profile holds to it).
func (a *authenticator) addressed(t jwt.Token, c storage.Client, path string) error {
	if clients.StrictAudience(c) {
		return t.ForAlone(a.idp.Issuer)
	}
	names := a.names(path)
	if clients.DAA(c) {
		names = append(names, a.idp.IssuerOf(c), a.idp.IssuerOf(c)+"/protocol/openid-connect/token")
	}
	return t.For(names...)
}

// names are ours as an audience: the issuer, the endpoint, and at every endpoint also the token endpoint, which clients
// name that know but one way to authenticate (RFC 9126 section 2 has it for pushed requests).
func (a *authenticator) names(path string) []string {
	names := []string{a.idp.Issuer, a.idp.Issuer + path, a.idp.Issuer + TokenPath}
	if alias := a.certs.Origin; alias != "" {
		names = append(names, alias+path, alias+TokenPath)
	}
	return names
}

func jtiHash(client, jti string) []byte {
	sum := sha256.Sum256([]byte("client_assertion\x00" + client + "\x00" + jti))
	return sum[:]
}

// proveCertificate is RFC 8705 section 2.
func (a *authenticator) proveCertificate(ctx context.Context, c storage.Client, certs chain) error {
	switch {
	case len(certs) == 0:
		return refusal{"no certificate"}
	case !certs.current(a.idp.Now()):
		return refusal{"the certificate is not valid now"}
	case c.AuthMethod == clients.AuthTLS:
		if !a.certs.issued(certs, a.idp.Now()) || !clients.NamesHolder(c, certs[0]) {
			return refusal{"the certificate is nobody's, or another's"}
		}
		return nil
	}
	keys, err := a.keys.Of(ctx, c, "")
	if err != nil {
		return refusal{err.Error()}
	}
	if !clients.HasKeyOf(keys, certs[0]) {
		return refusal{"the certificate's key is not registered"}
	}
	return nil
}
