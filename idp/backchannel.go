package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/idp/outbox"
	"tegata/storage"
)

// KindLogout is the kind of deliveries that LogoutNotices makes and LogoutLetter writes.
const KindLogout = "logout"

// LogoutLife is how long a logout token is good: at most two minutes (OpenID Connect Back-Channel Logout 1.0 section 4).
const LogoutLife = 2 * time.Minute

// notice is the body of a delivery: which session of whom is over, in the client's words.
type notice struct {
	Subject string `json:"sub"`
	SID     string `json:"sid"`
}

// LogoutNotices makes the messages for those parties of an ended session that want to hear of it on the back channel.
// Give it to storage.Store.EndSessions.
func LogoutNotices(now time.Time, random io.Reader) func([]storage.Party) ([]storage.Delivery, error) {
	return func(parties []storage.Party) ([]storage.Delivery, error) {
		var list []storage.Delivery
		for _, party := range parties {
			if party.Client.Disabled || party.Client.Logout.BackURI == "" {
				continue
			}
			id, err := authn.NewSecret(random)
			if err != nil {
				return nil, err
			}
			body, err := json.Marshal(notice{party.Subject, party.SID})
			if err != nil {
				return nil, fmt.Errorf("idp: encode: %w", err)
			}
			list = append(list, storage.Delivery{ID: id.Reveal(), Kind: KindLogout, ClientID: party.Client.ID, Body: body,
				CreatedAt: now, NextTry: now, GiveUp: now.Add(outbox.Life)})
		}
		return list, nil
	}
}

// backEvent is what a logout token says has happened.
const backEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutLetter writes a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.5). It has no nonce and a type of
// its own, so that it never passes as an ID token. outbox.ErrMoot when the client has gone or changed its mind.
func (p *Provider) LogoutLetter(ctx context.Context, d storage.Delivery) (outbox.Letter, error) {
	c, err := p.Client(ctx, d.ClientID)
	switch {
	case errors.Is(err, fail.ClientUnknown):
		return outbox.Letter{}, outbox.ErrMoot
	case err != nil:
		return outbox.Letter{}, err
	case c.Logout.BackURI == "":
		return outbox.Letter{}, outbox.ErrMoot
	}
	var n notice
	if err := json.Unmarshal(d.Body, &n); err != nil {
		return outbox.Letter{}, errors.New("idp: a notice of a logout cannot be read")
	}
	id, err := authn.NewSecret(p.Rand) // of this token, not of the delivery: a repeated one must not look like a replay
	if err != nil {
		return outbox.Letter{}, err
	}
	now := p.Now()
	payload, err := p.guarded(json.Marshal(struct {
		Issuer   string              `json:"iss"`
		Audience string              `json:"aud"`
		IssuedAt int64               `json:"iat"`
		Expires  int64               `json:"exp"`
		ID       string              `json:"jti"`
		Events   map[string]struct{} `json:"events"`
		Subject  string              `json:"sub"`
		SID      string              `json:"sid"`
	}{p.IssuerOf(c), c.ID, now.Unix(), now.Add(LogoutLife).Unix(), id.Reveal(), map[string]struct{}{backEvent: {}}, n.Subject, n.SID}))
	if err != nil {
		return outbox.Letter{}, err
	}
	sealed, err := p.envelope(ctx, c, c.Keys.IDTokenSeal) // as the ID token (section 2.6)
	if err != nil {
		return outbox.Letter{}, err
	}
	token, err := sealed.nest(p.Keys.SignAs("logout+jwt", c.IDTokenAlg, payload))
	if err != nil {
		return outbox.Letter{}, err
	}
	return outbox.Letter{URL: c.Logout.BackURI, ContentType: "application/x-www-form-urlencoded",
		Body: []byte(url.Values{"logout_token": {token}}.Encode())}, nil
}

// sid is what a client calls a session: the same for all its logins in that session, another for every other client, and
// none where the client never hears of a session's end and so has no use for a name (R4).
func (p *Provider) sid(c storage.Client, session string) string {
	if session == "" || c.Logout.BackURI == "" && c.Logout.FrontURI == "" {
		return ""
	}
	return keyed(p.sidKey, c.ID, session)
}
