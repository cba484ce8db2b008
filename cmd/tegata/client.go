package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tegata/claims"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/storage"
)

type clientCommands struct {
	Create  clientCreate  `cmd:"" help:"Register a relying party."`
	List    clientList    `cmd:"" help:"List relying parties."`
	Show    clientShow    `cmd:"" help:"Show one relying party."`
	Secret  clientSecret  `cmd:"" help:"Give a relying party one more secret, or take the older ones away."`
	Keys    clientKeys    `cmd:"" help:"Replace the public keys of a relying party."`
	Approve clientApprove `cmd:"" help:"Let a relying party in that registered itself, or changed its registration."`
	Tokens  tokenCommands `cmd:"" help:"Initial access tokens, with which relying parties register themselves: create, list, revoke."`
	Debug   clientDebug   `cmd:"" help:"Print a link for the engineers of a relying party: error pages then explain its mistakes to them."`
	Disable clientDisable `cmd:"" help:"Refuse a relying party from now on and revoke its tokens (--enable lets it in again)."`
}

type clientCreate struct {
	database
	Metadata     string   `type:"path" help:"File with one JSON object of RFC 7591 client metadata; flags below override it."`
	ID           string   `help:"client_id; a random one if left out."`
	Name         string   `help:"Name shown to people."`
	NameJa       string   `help:"Its Japanese form."`
	RedirectURI  []string `help:"Redirect URI, exactly as it will be sent; may be repeated."`
	LogoutURI    []string `help:"Post-logout redirect URI; may be repeated."`
	Scope        []string `help:"Scopes it may ask for, openid included."`
	Purpose      string   `help:"Why it asks, shown at consent."`
	PurposeJa    string   `help:"Its Japanese form."`
	Profile      string   `help:"basic (the default), fapi2, age-only or daa-compatible: rules with a name, see /docs/client-profiles.md."`
	SubjectType  string   `help:"pairwise (the default) or transient: another identifier at every login."`
	Sector       string   `name:"sector-identifier-uri" help:"Where the list of all redirect URIs is, for sites of several hosts that shall know the same person."`
	Source       string   `help:"signature_certificate: accept facts from nowhere else. card_info_unverified: accept also what nobody could verify."`
	Retention    string   `help:"How long it keeps what it gets, shown at consent."`
	RetentionJa  string   `help:"Its Japanese form."`
	ByDay        []string `help:"Age predicate that the law of its trade counts by the day; may be repeated."`
	Alg          string   `help:"ID token algorithm: ES256 (the default), RS256, PS256 or EdDSA."`
	AuthMethod   string   `help:"client_secret_basic (the default), client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth or none; all but the secrets need --metadata for the keys or the holder."`
	LoopbackHTTP bool     `name:"loopback-http" help:"Allow http://localhost for redirect URIs, keys and sector lists, for development."`
}

// Run registers the client and prints its id and, this one time, its secret.
func (c *clientCreate) Run(ctx context.Context, t terminal) error {
	m, err := c.metadata()
	if err != nil {
		return err
	}
	secret := ""
	if m.AuthMethod == "" || clients.HasSecret(m.AuthMethod) {
		if secret, _, err = clients.NewSecret(rand.Reader); err != nil {
			return err
		}
		m.ClientSecret = clients.Secret(secret)
	}
	rules := clients.Rules{AllowLoopbackHTTP: c.LoopbackHTTP, AllowWithoutPKCE: true}
	for _, name := range c.ByDay {
		rules.ByDay = append(rules.ByDay, claims.Item(name))
	}
	record, wrong := rules.Client(m, time.Now())
	if len(wrong) == 0 {
		wrong, _ = fetch.Outside{Loopback: c.LoopbackHTTP}.Sector(ctx, m)
	}
	if len(wrong) > 0 {
		var p problems
		for _, w := range wrong {
			p.add(true, w.String())
		}
		return p.err()
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	if err := store.CreateClient(ctx, record); errors.Is(err, storage.ErrExists) {
		return fmt.Errorf("a client %q exists already", record.ID)
	} else if err != nil {
		return err
	}
	out := map[string]string{"client_id": record.ID}
	if secret != "" {
		out["client_secret"] = secret
	}
	return writeJSON(t.Out, out)
}

func (c *clientCreate) metadata() (clients.Metadata, error) {
	var m clients.Metadata
	if c.Metadata != "" {
		body, err := os.ReadFile(c.Metadata)
		if err != nil {
			return m, usageError{err}
		}
		if err := json.Unmarshal(body, &m); err != nil {
			return m, usageError{fmt.Errorf("%s: %w", c.Metadata, err)}
		}
	}
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&m.ClientID, c.ID}, {&m.ClientName, c.Name}, {&m.ClientNameJa, c.NameJa}, {&m.Scope, strings.Join(c.Scope, " ")},
		{&m.Purpose, c.Purpose}, {&m.PurposeJa, c.PurposeJa}, {&m.IDTokenAlg, c.Alg}, {&m.AuthMethod, c.AuthMethod},
		{&m.Profile, c.Profile}, {&m.SubjectType, c.SubjectType}, {&m.SectorIdentifierURI, c.Sector},
		{&m.Policy.Source, c.Source}, {&m.Policy.Retention, c.Retention}, {&m.Policy.RetentionJa, c.RetentionJa},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if len(c.RedirectURI) > 0 {
		m.RedirectURIs = c.RedirectURI
	}
	if len(c.ByDay) > 0 {
		m.Policy.ByDay = c.ByDay
	}
	if len(c.LogoutURI) > 0 {
		m.PostLogoutRedirectURIs = c.LogoutURI
	}
	if m.ClientID == "" {
		id, _, err := clients.NewSecret(rand.Reader)
		if err != nil {
			return m, err
		}
		m.ClientID = "rp-" + id[:22]
	}
	return m, nil
}

type clientList struct{ database }

// Run prints a table.
func (c *clientList) Run(ctx context.Context, t terminal) error {
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	all, err := store.Clients(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CLIENT_ID\tNAME\tSCOPES\tSTATE")
	for _, r := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Name, strings.Join(r.Scopes, " "), state(r))
	}
	return w.Flush()
}

func state(c storage.Client) string {
	switch {
	case c.Disabled:
		return "disabled"
	case c.Registration.Pending:
		return "pending approval"
	}
	return "enabled"
}

type clientShow struct {
	database
	ID string `arg:"" help:"client_id."`
}

// Run prints the record without its secret hashes.
func (c *clientShow) Run(ctx context.Context, t terminal) error {
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	r, err := store.Client(ctx, c.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no client %q", c.ID)
	}
	if err != nil {
		return err
	}
	r.SecretHashes, r.Registration.TokenHash = nil, nil
	return writeJSON(t.Out, struct {
		storage.Client
		State string `json:"state"`
	}{r, state(r)})
}

type clientDisable struct {
	database
	ID     string `arg:"" help:"client_id."`
	Enable bool   `help:"Take a disablement back."`
}

// Run switches the client; every replica follows within a second.
func (c *clientDisable) Run(ctx context.Context, t terminal) error {
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	if err := store.DisableClient(ctx, c.ID, !c.Enable, time.Now()); errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no client %q", c.ID)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is %s\n", c.ID, state(storage.Client{Disabled: !c.Enable}))
	return nil
}
