package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"tegata/authn"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/developer"
	"tegata/storage"
)

// rules are friendlier than production's: plain http on this machine, secrets that people can type, and whoever writes the
// file is the operator.
var rules = clients.Rules{AllowLoopbackHTTP: true, AllowShortSecrets: true, AllowWithoutPKCE: true, ByDay: claims.Catalogue()}

// register puts the demo client first, then those of the file.
func (w *world) register(ctx context.Context, file string, warn io.Writer) error {
	w.clients = []clients.Metadata{{
		ClientID: "demo", ClientName: "Tegata Sake (demo)", ClientNameJa: "手形酒店（デモ）", ClientURI: w.rp.url() + "/",
		RedirectURIs: []string{w.rp.url() + "/callback"}, PostLogoutRedirectURIs: []string{w.rp.url() + "/"},
		BackLogoutURI: w.rp.url() + "/backchannel-logout", BackLogoutSID: true,
		Scope: strings.Join(claims.Scopes(), " "), Purpose: "To sell alcohol only to adults.", PurposeJa: "お酒を売ってよい年齢かを確かめるため",
	}}
	if file != "" {
		body, err := os.ReadFile(file)
		if err != nil {
			return usageError{err}
		}
		more, err := clients.ParseFile(body)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", file, err)}
		}
		w.clients = append(w.clients, more...)
	}
	for i := range w.clients {
		if err := w.put(ctx, &w.clients[i], warn); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) put(ctx context.Context, m *clients.Metadata, warn io.Writer) error {
	note := func(what string, which []string) {
		if len(which) > 0 {
			fmt.Fprintf(warn, "sandbox: client %s: %s %s\n", m.ClientID, what, strings.Join(which, ", "))
		}
	}
	note("nothing is known about", m.Unknown)
	note("this version cannot do, and the sandbox goes on without,", m.Unsupported)
	m.Unsupported = nil
	if m.Scope != "" || len(m.Policy.Items) == 0 && m.Profile == "" { // a policy and a profile say what they are about
		var foreign []string
		m.Scope, foreign = knownScopes(m.Scope)
		note("unknown scopes left out:", foreign)
	}
	if m.ClientSecret == "" && (m.AuthMethod == "" || clients.HasSecret(m.AuthMethod)) {
		secret, _, err := clients.NewSecret(rand.Reader)
		if err != nil {
			return err
		}
		m.ClientSecret = clients.Secret(secret)
	}
	record, problems := rules.Client(*m, w.now())
	if len(problems) == 0 {
		problems = w.sector(ctx, *m, warn)
	}
	if len(problems) > 0 {
		return usageError{fmt.Errorf("client %s: %v", m.ClientID, problems)}
	}
	return w.inner.Store.PutClient(ctx, record)
}

// sector looks at the list behind a sector_identifier_uri. Somebody without a network can still develop: a list elsewhere
// that nobody answers for is then taken on the file's word.
func (w *world) sector(ctx context.Context, m clients.Metadata, warn io.Writer) []clients.Problem {
	wrong, unreachable := fetch.Outside{Loopback: true}.Sector(ctx, m)
	if unreachable && strings.HasPrefix(m.SectorIdentifierURI, "https://") {
		fmt.Fprintf(warn, "sandbox: client %s: nobody answers at its sector_identifier_uri; a server would refuse the client\n", m.ClientID)
		return nil
	}
	return wrong
}

// knownScopes gives a client without a scope list everything: in the sandbox nobody is protected by less.
func knownScopes(list string) (known string, foreign []string) {
	if list == "" {
		return strings.Join(claims.Scopes(), " "), nil
	}
	all := strings.Fields(list)
	foreign = slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(clients.Scopes(), s) })
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return slices.Contains(foreign, s) }), " "), foreign
}

// invite makes a token with which clients register themselves at /register, as often as anybody likes.
func (w *world) invite(ctx context.Context) error {
	var err error
	if w.invitation, err = authn.NewSecret(rand.Reader); err != nil {
		return err
	}
	return w.inner.Store.CreateInitialToken(ctx, storage.InitialToken{
		Hash: w.invitation.Hash(), Name: "sandbox " + rand.Text(), Uses: 1 << 40, CreatedAt: w.now(), ExpiresAt: w.now().AddDate(100, 0, 0)})
}

// announce says that everything is ready: one line of JSON for programs, or where to click.
func (w *world) announce(out io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{
			"issuer": w.provider.url(), "rp": w.rp.url(), "cards": w.cards.url(), "jpki": w.jpki.url(), "clients": w.clients,
			"initial_access_token": w.invitation.Reveal(), "developer_links": w.developerLinks()})
	}
	_, err := fmt.Fprintf(out, `
  Tegata sandbox is ready. Nothing here is a real card.

    1. Open the demo shop    %s/
       and press the button.
    2. Choose a test card; the PIN is 1234, the password ABC123.

    provider                 %s/.well-known/openid-configuration
    card reader              %s/
    J-LIS stand-in           %s/

  A browser that opened one of these explains what is wrong with that client's requests:
`, w.rp.url(), w.provider.url(), w.cards.url(), w.jpki.url())
	links := w.developerLinks()
	for _, id := range slices.Sorted(maps.Keys(links)) {
		_, failed := fmt.Fprintf(out, "\n    %-24s %s\n", id, links[id])
		err = errors.Join(err, failed)
	}
	_, failed := fmt.Fprint(out, "\n  Stop with Ctrl-C.\n")
	return errors.Join(err, failed)
}

// developing is how long a link for developers is good here: somebody works on a service for days.
const developing = 30 * 24 * time.Hour

// developerLinks are what 'tegata client debug' prints at a server, by client.
func (w *world) developerLinks() map[string]string {
	links := map[string]string{}
	for _, c := range w.clients {
		links[c.ClientID] = w.provider.url() + "/developer/" + w.developers.Sign(developer.Link, c.ClientID, w.now().Add(developing))
	}
	return links
}

func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }
