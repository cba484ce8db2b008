package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/latest"
	"tegata/idp/outbox"
	"tegata/storage"
)

// LatestQuestion is what the screen about later changes asks, after the ordinary consent and apart from it (R11).
type LatestQuestion struct {
	Said    Decision  // of the consent page: the answer's form brings it again
	Items   []string  // of which changes would be told
	Until   time.Time // last day of the consent, in Japan
	Earlier time.Time // last day of the one before, which this one would replace; zero: there is none

	counts bool // the earlier one is not over yet
}

// Answers to a LatestQuestion, in Decision.Latest.
const (
	LatestAgreed  = "agree"
	LatestRefused = "refuse"
)

// hearsLatest says whether a client is registered for changes and may be told of them.
func (p *Provider) hearsLatest(c storage.Client) bool {
	return p.Latest != nil && c.Policy.LatestAttributes && c.LatestURI != ""
}

// askLatest is the question that a decision leads to, nil for none: nobody else's login has another page or statement.
func (p *Provider) askLatest(ctx context.Context, s Step, said agreement) (*LatestQuestion, error) {
	if !p.hearsLatest(s.Client) || len(s.Login.SignCard) == 0 {
		return nil, nil
	}
	items := latest.Items(s.Client, slices.DeleteFunc(slices.Clone(said.items), func(i claims.Item) bool {
		return !slices.ContainsFunc(s.Offers, func(o claims.Offer) bool { return o.Item == i && o.Available })
	}))
	before, err := p.Store.StandingLatest(ctx, s.Login.AccountID, s.Client.ID)
	standing := &before
	switch {
	case errors.Is(err, storage.ErrNotFound):
		standing = nil
	case err != nil:
		return nil, unavailable(err)
	}
	now := p.Now()
	if !latest.Asks(standing, items, slices.Contains(s.Login.Request.Prompt, "consent"), now) {
		return nil, nil
	}
	q := &LatestQuestion{Until: latest.LastDay(latest.Ends(now))}
	for _, i := range items {
		q.Items = append(q.Items, string(i))
	}
	if standing != nil && !standing.Refused {
		q.Earlier, q.counts = latest.LastDay(standing.ExpiresAt), now.Before(standing.ExpiresAt)
	}
	return q, nil
}

// latestEnds is the last day of a person's consent to changes at the client of l, when that is near.
func (p *Provider) latestEnds(ctx context.Context, l storage.Login) (time.Time, error) {
	standing, err := p.Store.StandingLatest(ctx, l.AccountID, l.ClientID)
	now := p.Now()
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && (standing.Refused || !now.Before(standing.ExpiresAt) || !latest.Near(standing.ExpiresAt, now)):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, unavailable(err)
	}
	return latest.LastDay(standing.ExpiresAt), nil
}

// noteLatest keeps the answer to a question. A no to a renewal leaves the earlier yes to its end.
func (p *Provider) noteLatest(ctx context.Context, s Step, q LatestQuestion, d Decision) error {
	id, err := authn.NewSecret(p.Rand)
	if err != nil {
		return err
	}
	now := p.Now()
	c := storage.LatestConsent{ID: id.Reveal(), AccountID: s.Login.AccountID, ClientID: s.Client.ID, Texts: d.Texts, GivenAt: now}
	switch d.Latest {
	case LatestAgreed:
		person, err := claims.DecodePerson(s.Login.Facts)
		if err != nil {
			return fail.Internal.Because(err)
		}
		c.Items, c.Number, c.ExpiresAt = q.Items, s.Login.SignCard, latest.Ends(now)
		if c.Sent, err = p.Latest.Compare(c.ID, nil, person, claims.Items(q.Items), now).Known.Encode(); err != nil {
			return err
		}
	case LatestRefused:
		c.Refused, c.ExpiresAt = true, now
		if q.counts {
			return nil
		}
	default:
		return fail.BadInput.At("latest")
	}
	switch err := p.Store.PutLatest(ctx, c); {
	case errors.Is(err, storage.ErrExists): // a double click
		return fail.AlreadyUsed
	case err != nil:
		return unavailable(err)
	}
	return nil
}

// LatestLetter writes what has changed about a person for a client that has her word, as a JWT with a type of its own.
// outbox.ErrMoot when the word or the client has gone since the change was noticed.
func (p *Provider) LatestLetter(ctx context.Context, d storage.Delivery) (outbox.Letter, error) {
	var m latest.Message
	if err := json.Unmarshal(d.Body, &m); err != nil {
		return outbox.Letter{}, errors.New("idp: a change of attributes cannot be read")
	}
	c, err := p.Client(ctx, d.ClientID)
	switch {
	case errors.Is(err, fail.ClientUnknown), errors.Is(err, fail.ClientInactive):
		return outbox.Letter{}, outbox.ErrMoot
	case err != nil:
		return outbox.Letter{}, err
	case !p.hearsLatest(c):
		return outbox.Letter{}, outbox.ErrMoot
	}
	switch _, err := p.Store.LatestConsent(ctx, m.Consent, p.Now()); {
	case errors.Is(err, storage.ErrNotFound):
		return outbox.Letter{}, outbox.ErrMoot
	case err != nil:
		return outbox.Letter{}, err
	}
	token, err := p.latestToken(ctx, c, d, m)
	if err != nil {
		return outbox.Letter{}, err
	}
	return outbox.Letter{URL: c.LatestURI, ContentType: "application/jwt", Body: []byte(token)}, nil
}

// latestToken names the delivery: who gets it twice can tell.
func (p *Provider) latestToken(ctx context.Context, c storage.Client, d storage.Delivery, m latest.Message) (string, error) {
	members := map[string]any{}
	var about map[string]json.RawMessage
	if err := json.Unmarshal(m.Claims, &about); err != nil {
		return "", errors.New("idp: changed attributes cannot be read")
	}
	for name, value := range about {
		members[name] = value
	}
	members["iss"], members["aud"], members["sub"] = p.IssuerOf(c), c.ID, m.Subject
	members["iat"], members["jti"] = p.Now().Unix(), d.ID
	payload, err := p.guarded(json.Marshal(members))
	if err != nil {
		return "", err
	}
	to, err := p.envelope(ctx, c, changesSeal(c))
	if err != nil {
		return "", err
	}
	token, err := to.nest(p.Keys.SignAs("attribute-change+jwt", c.IDTokenAlg, payload))
	if err != nil {
		return "", fmt.Errorf("idp: a change of attributes: %w", err)
	}
	return token, nil
}

// changesSeal is how a client wants changes encrypted: as its ID tokens, since it is a token too, or else as its userinfo,
// where it heard of the attributes first.
func changesSeal(c storage.Client) storage.Encryption {
	if c.Keys.IDTokenSeal.Alg != "" {
		return c.Keys.IDTokenSeal
	}
	return c.Keys.UserInfoSeal
}
