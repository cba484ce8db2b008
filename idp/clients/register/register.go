// Package register owns the registration endpoint: clients that register themselves with an initial access token
// (RFC 7591) and read, change and delete what they registered (RFC 7592).
// It knows HTTP and which change an operator has to look at again. It refuses to know which metadata is acceptable
// (idp/clients decides) and what a client may do once it is approved.
package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"tegata/authn"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/storage"
)

// Path is the registration endpoint; a client's own address is below it.
const Path = "/register"

const maxBody = 128 << 10 // a key set of the largest size and everything else

type store interface {
	Client(ctx context.Context, id string) (storage.Client, error)
	InitialToken(ctx context.Context, hash []byte, now time.Time) (storage.InitialToken, error)
	RegisterClient(ctx context.Context, tokenHash []byte, c storage.Client, now time.Time) error
	UpdateClient(ctx context.Context, next storage.Client, was time.Time) error
	DeleteClient(ctx context.Context, id string, now time.Time) error
}

// Desk takes registrations.
type Desk struct {
	Store   store
	Issuer  string
	Rules   clients.Rules
	Approve bool          // at once, with nobody looking: for development and the sandbox
	Outside fetch.Outside // how a sector_identifier_uri is reached
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
}

// Mount puts the endpoint on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	mux.HandleFunc("POST "+Path, d.answer(d.create))
	mux.HandleFunc("GET "+Path+"/{id}", d.answer(d.read))
	mux.HandleFunc("PUT "+Path+"/{id}", d.answer(d.update))
	mux.HandleFunc("DELETE "+Path+"/{id}", d.answer(d.remove))
	for path, allow := range map[string]string{Path: "POST", Path + "/{id}": "GET, HEAD, PUT, DELETE"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allow)
			w.WriteHeader(http.StatusMethodNotAllowed)
		})
	}
}

// create is RFC 7591 section 3. The token is looked at before the metadata: our rules are for those whom the operator
// invited; it is used up only by what is accepted.
func (d *Desk) create(r *http.Request) (reply, error) {
	ctx := r.Context()
	token, ok := bearer(r)
	if !ok {
		return reply{}, noToken
	}
	invited, err := d.Store.InitialToken(ctx, token.Hash(), d.Now())
	if errors.Is(err, storage.ErrNotFound) {
		return reply{}, badToken
	}
	if err != nil {
		return reply{}, err
	}
	m, err := d.metadata(r)
	if err != nil {
		return reply{}, err
	}
	if m.ClientID != "" || m.ClientSecret != "" {
		return reply{}, wrong("invalid_client_metadata", "client_id and client_secret are for us to choose: leave them out.")
	}
	id, _, err := clients.NewSecret(d.Rand)
	if err != nil {
		return reply{}, err
	}
	m.ClientID = "rp-" + id[:22]
	c, secret, err := d.record(ctx, m, nil)
	if err != nil {
		return reply{}, err
	}
	c.Registration.By, c.Registration.Pending = invited.Name, !d.Approve
	out, err := d.seal(&c, m, secret)
	if err != nil {
		return reply{}, err
	}
	switch err := d.Store.RegisterClient(ctx, token.Hash(), c, d.Now()); {
	case errors.Is(err, storage.ErrNotFound): // another registration was faster with the last use
		return reply{}, badToken
	case err != nil:
		return reply{}, err
	}
	d.Log.InfoContext(ctx, "a client registered itself", "event", "client_registered", "client", c.ID, "by", invited.Name, "pending", c.Registration.Pending)
	return reply{http.StatusCreated, out}, nil
}

// read is RFC 7592 section 2.1. Of the token we keep but the hash: what the answer has of it is what came along.
func (d *Desk) read(r *http.Request) (reply, error) {
	c, err := d.own(r)
	if err != nil {
		return reply{}, err
	}
	out, err := d.members(c, "")
	if token, ok := bearer(r); ok && err == nil {
		out["registration_access_token"] = token.Reveal()
	}
	return reply{http.StatusOK, out}, err
}

// update is RFC 7592 section 2.2: the whole registration anew. Its token changes with it, so that one that leaked is
// good for at most one change, after which its owner sees that something is wrong.
func (d *Desk) update(r *http.Request) (reply, error) {
	ctx := r.Context()
	old, err := d.own(r)
	if err != nil {
		return reply{}, err
	}
	m, err := d.metadata(r)
	if err != nil {
		return reply{}, err
	}
	if m.ClientID != old.ID {
		return reply{}, wrong("invalid_request", "client_id must be the client's own (RFC 7592 section 2.2).")
	}
	if m.ClientSecret != "" && !clients.CheckSecret(old, string(m.ClientSecret)) {
		return reply{}, wrong("invalid_request", "client_secret is not the client's; leave it out, or ask the operator for another one.")
	}
	c, secret, err := d.record(ctx, m, &old)
	if err != nil {
		return reply{}, err
	}
	widened := clients.Widened(old, c)
	c.Registration.Pending = old.Registration.Pending || len(widened) > 0 && !d.Approve
	out, err := d.seal(&c, m, secret)
	if err != nil {
		return reply{}, err
	}
	switch err := d.Store.UpdateClient(ctx, c, old.UpdatedAt); {
	case errors.Is(err, storage.ErrStale):
		return reply{}, fault{http.StatusConflict, "invalid_request", "the registration has just been changed by somebody else: read it again."}
	case err != nil:
		return reply{}, err
	}
	d.Log.InfoContext(ctx, "a client changed its registration", "event", "client_updated", "client", c.ID, "widened", widened, "pending", c.Registration.Pending)
	return reply{http.StatusOK, out}, nil
}

func (d *Desk) remove(r *http.Request) (reply, error) {
	c, err := d.own(r)
	if err != nil {
		return reply{}, err
	}
	if err := d.Store.DeleteClient(r.Context(), c.ID, d.Now()); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return reply{}, err
	}
	d.Log.InfoContext(r.Context(), "a client removed itself", "event", "client_deleted", "client", c.ID)
	return reply{status: http.StatusNoContent}, nil
}

// own finds the client whose registration access token came along. No client and a wrong token read the same.
func (d *Desk) own(r *http.Request) (storage.Client, error) {
	token, ok := bearer(r)
	if !ok {
		return storage.Client{}, noToken
	}
	c, err := d.Store.Client(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Client{}, badToken
	case err != nil:
		return storage.Client{}, err
	case !token.Is(c.Registration.TokenHash):
		return storage.Client{}, badToken
	case c.Disabled:
		return storage.Client{}, fault{http.StatusForbidden, "access_denied", "the operator has disabled the client."}
	}
	return c, nil
}

// record applies the rules. The secret is new for a client that has none yet and needs one; of an old one we know but its
// hash.
func (d *Desk) record(ctx context.Context, m clients.Metadata, old *storage.Client) (c storage.Client, secret string, err error) {
	keeps := old != nil && clients.HasSecret(old.AuthMethod)
	m.ClientSecret = ""
	if m.AuthMethod == "" || clients.HasSecret(m.AuthMethod) {
		if secret, _, err = clients.NewSecret(d.Rand); err != nil {
			return c, "", err
		}
		m.ClientSecret = clients.Secret(secret)
	}
	c, problems := d.Rules.Client(m, d.Now())
	if len(problems) == 0 {
		problems, _ = d.Outside.Sector(ctx, m)
	}
	if len(problems) > 0 {
		return c, "", refused(problems)
	}
	if old == nil {
		return c, secret, nil
	}
	c.CreatedAt, c.Disabled, c.Registration.By = old.CreatedAt, old.Disabled, old.Registration.By
	if keeps && secret != "" {
		c.SecretHashes, secret = old.SecretHashes, ""
	}
	return c, secret, nil
}

// seal gives the record its registration access token and what RFC 7592 will read of it, and makes the answer.
func (d *Desk) seal(c *storage.Client, m clients.Metadata, secret string) (map[string]any, error) {
	token, err := authn.NewSecret(d.Rand)
	if err != nil {
		return nil, err
	}
	kept, err := json.Marshal(clients.Described(m, *c))
	if err != nil {
		return nil, fmt.Errorf("register: encode: %w", err)
	}
	c.Registration.TokenHash, c.Registration.Metadata = token.Hash(), string(kept)
	out, err := d.members(*c, secret)
	if err == nil {
		out["registration_access_token"] = token.Reveal()
	}
	return out, err
}

// members are all that is registered. Keys that the operator replaced since are told as they are.
func (d *Desk) members(c storage.Client, secret string) (map[string]any, error) {
	var out map[string]any
	if err := json.Unmarshal([]byte(c.Registration.Metadata), &out); err != nil {
		return nil, fmt.Errorf("register: the metadata of %s cannot be read: %w", c.ID, err)
	}
	delete(out, "jwks")
	delete(out, "jwks_uri")
	if c.Keys.JWKS != "" {
		out["jwks"] = json.RawMessage(c.Keys.JWKS)
	}
	if c.Keys.JWKSURI != "" {
		out["jwks_uri"] = c.Keys.JWKSURI
	}
	out["client_id_issued_at"] = c.CreatedAt.Unix()
	out["registration_client_uri"] = d.Issuer + Path + "/" + c.ID
	out["tegata_approved"] = !c.Registration.Pending
	if secret != "" {
		out["client_secret"] = secret
	}
	if len(c.SecretHashes) > 0 {
		out["client_secret_expires_at"] = 0 // never (RFC 7591 section 3.2.1)
	}
	return out, nil
}
