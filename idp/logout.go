package idp

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"tegata/authn/fail"
	"tegata/idp/jwt"
	"tegata/storage"
)

// Logout is an RP-initiated logout request (OpenID Connect RP-Initiated Logout 1.0).
type Logout struct {
	Hint        string // id_token_hint
	ClientID    string
	RedirectURI string // post_logout_redirect_uri
	State       string
	UILocales   []string
	Foreign     bool // a page of another site posted it: browsers then keep the session's cookie back (SameSite=Lax)
	Confirmed   bool // the person pressed our own button
}

// LogoutStep is what comes next: ask the person, go back to the relying party, or say that it is done.
type LogoutStep struct {
	Ask    bool
	Again  bool // nobody knows whether there is a session: the same has to be asked from a page of ours
	Ended  bool
	Client storage.Client // zero when nobody named one
	Go     string         // registered address with state, "" = our own page
	Frames []string       // pages of relying parties that the browser has to load before it goes anywhere
}

// Hint is what a former ID token of ours says. It proves only that we once issued it.
type Hint struct {
	ClientID, Subject string
	SID               string // "" unless the client has names for sessions
}

// ParseHint opens an id_token_hint of any age. What else we sign is none: it has another type, or it does not expire, as
// signed userinfo, or has no subject of its own.
func (p *Provider) ParseHint(compact string) (Hint, bool) {
	t, err := jwt.Parse(compact, jwt.IDToken)
	if err != nil {
		return Hint{}, false
	}
	if _, err := p.Keys.Verify("JWT", compact); err != nil {
		return Hint{}, false
	}
	h := Hint{ClientID: t.Text("aud"), Subject: t.Text("sub"), SID: t.Text("sid")}
	if !p.ours(t.Text("iss")) || h.Subject == "" || h.ClientID == "" || t.Expires().IsZero() {
		return Hint{}, false
	}
	return h, true
}

// EndSessions ends sessions, whatever the reason, and sees to it that the relying parties which have to hear of it do:
// what they are told is kept together with the end itself. It returns how many sessions there were. Errors are
// fail.Unavailable alone.
func (p *Provider) EndSessions(ctx context.Context, e storage.Ending) (int, error) {
	ended, err := p.End(ctx, e)
	return ended.Sessions, err
}

// End is EndSessions that also says which relying parties know the sessions: their pages may have to hear of it from the
// person's browser, see Farewells.
func (p *Provider) End(ctx context.Context, e storage.Ending) (storage.Ended, error) {
	now := p.Now()
	ended, err := p.Store.EndSessions(ctx, e, now, LogoutNotices(now, p.Rand))
	if err != nil {
		return storage.Ended{}, unavailable(err)
	}
	if ended.Sessions > 0 {
		p.Log.InfoContext(ctx, "sessions ended", "event", "sessions_ended", "count", ended.Sessions, "parties", len(ended.Parties))
	}
	if len(ended.Parties) > 0 {
		p.Wake()
	}
	return ended, nil
}

// Sessions are the account's live ones, newest first. An id tells sessions apart and opens none.
func (p *Provider) Sessions(ctx context.Context, accountID string) ([]storage.Session, error) {
	now := p.Now()
	list, err := p.Store.Sessions(ctx, accountID, now, now.Add(-p.SessionRule.Idle))
	if err != nil {
		return nil, unavailable(err)
	}
	return list, nil
}

// EndSession ends the browser's session. Without an ID token of the very person the browser is asked first, so that no
// foreign page logs people out by a link.
func (p *Provider) EndSession(ctx context.Context, l Logout, b Browser) (LogoutStep, error) {
	hint, trusted := p.ParseHint(l.Hint)
	if Encrypted(l.Hint) {
		return LogoutStep{}, fail.HintEncrypted.At("id_token_hint")
	}
	if l.Hint != "" && !trusted {
		return LogoutStep{}, fail.LogoutInvalid.At("id_token_hint")
	}
	id := l.ClientID
	if trusted {
		if id != "" && id != hint.ClientID {
			return LogoutStep{}, fail.LogoutInvalid.At("client_id")
		}
		id = hint.ClientID
	}
	step, err := p.logoutTarget(ctx, id, l)
	if err != nil {
		return LogoutStep{}, err
	}
	if !b.HasSession {
		step.Again, step.Ask, step.Ended = l.Foreign && l.Hint != "", l.Foreign && l.Hint == "", !l.Foreign
		return step, nil
	}
	if !l.Confirmed && !p.sameSubject(ctx, hint, trusted, step.Client, b) {
		step.Ask = true
		return step, nil
	}
	ended, err := p.End(ctx, storage.Ending{SessionID: sessionID(b.Session)})
	if err != nil {
		return LogoutStep{}, err
	}
	step.Ended, step.Frames = true, p.frames(ended.Parties)
	return step, nil
}

// sameSubject says whether the hint names the person of this browser's session.
func (p *Provider) sameSubject(ctx context.Context, h Hint, trusted bool, c storage.Client, b Browser) bool {
	if !trusted {
		return false
	}
	if h.SID != "" && h.SID == p.sid(c, sessionID(b.Session)) {
		return true
	}
	_, link, err := p.session(ctx, c, b)
	return errors.Is(err, storage.ErrNotFound) || err == nil && link.Subject == h.Subject
}

// logoutTarget checks the address to go to afterwards: registered by this client, byte for byte.
func (p *Provider) logoutTarget(ctx context.Context, id string, l Logout) (LogoutStep, error) {
	if id == "" {
		if l.RedirectURI != "" {
			return LogoutStep{}, fail.LogoutInvalid.At("post_logout_redirect_uri")
		}
		return LogoutStep{}, nil
	}
	c, err := p.Client(ctx, id)
	if err != nil {
		return LogoutStep{}, err
	}
	if l.RedirectURI == "" {
		return LogoutStep{Client: c}, nil
	}
	if !slices.Contains(c.PostLogoutRedirectURIs, l.RedirectURI) {
		return LogoutStep{}, Explained{Err: fail.LogoutInvalid.At("post_logout_redirect_uri"), Client: c.ID,
			Field: "post_logout_redirect_uri", Got: l.RedirectURI, Registered: c.PostLogoutRedirectURIs}
	}
	step := LogoutStep{Client: c, Go: l.RedirectURI}
	if l.State != "" {
		step.Go = AddQuery(l.RedirectURI, url.Values{"state": {l.State}}.Encode())
	}
	return step, nil
}
