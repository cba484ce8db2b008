package idp

import (
	"context"
	"errors"
	"time"

	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/storage"
)

// ExpiryNotice is how long before the end of a certificate its holder hears of it. Nobody else ever does.
const ExpiryNotice = 90 * 24 * time.Hour

// RenewalWording is the version of the sentence by which a person agrees that her former cards are asked about: consent_renewed
// of the locales. Another sentence has another version.
const RenewalWording = "renewal.1"

// maxRenewals is how often one account may have its former cards asked about: each question costs the operator.
const maxRenewals = 5

// renewals finds what cards were before; authn.Renewals does.
type renewals interface {
	Before(ctx context.Context, card []byte, consent, client string) ([][]byte, error)
	Over(ctx context.Context, cards []storage.Credential, client string) (bool, error)
}

// endsSoon is the end of the card's certificate when that is near; zero when it is far, unknown, or over.
func (p *Provider) endsSoon(card []byte) time.Time {
	n, err := jpki.ParseNumber(card)
	if now := p.Now(); err != nil || n.NotAfter.Before(now) || n.NotAfter.Sub(now) > ExpiryNotice {
		return time.Time{}
	}
	return n.NotAfter
}

// CardEnds is when the certificate ends that opens an account, for the person's own eyes: zero when nothing is known.
// It falls on her birthday, so it must not reach anybody else.
func (p *Provider) CardEnds(ctx context.Context, accountID string) (time.Time, error) {
	cards, err := p.Store.Cards(ctx, accountID)
	if err != nil {
		return time.Time{}, unavailable(err)
	}
	var last time.Time
	for _, c := range cards {
		if n, err := jpki.ParseNumber(c.Card); err == nil && n.NotAfter.After(last) {
			last = n.NotAfter
		}
	}
	return last, nil
}

// renewable says whether the person may have had another card: her account is new to everybody, and somebody can be asked.
func (p *Provider) renewable(l storage.Login, link storage.Link) bool {
	return p.Renewals != nil && link.New && len(l.Card) > 0
}

// TakeOver gives a new account's login to the account that the person's former cards opened, so that she stays who she was
// everywhere. It is called when she has agreed to the question. Whatever it answers, the login can go on: with the
// former account when it is nil, else as it stands. Errors: fail.RenewalUnknown, fail.RenewalUnavailable.
func (p *Provider) TakeOver(ctx context.Context, id string, b Browser) error {
	s, err := p.Resume(ctx, id, b)
	switch {
	case err != nil:
		return err
	case s.Show != ShowConsent:
		return fail.AlreadyUsed
	case !s.Renewable:
		return fail.BadInput.At("renewed")
	}
	r := storage.Renewal{From: s.Login.AccountID, At: p.Now()}
	if r.Consent, err = p.agreeToLinking(ctx, s); err != nil {
		return err
	}
	if err := p.earlier(ctx, s, &r); err != nil {
		return err
	}
	if err := p.inherit(ctx, &r); err != nil {
		return err
	}
	switch err := p.Store.Renew(ctx, r); {
	case errors.Is(err, storage.ErrStale):
		return fail.AlreadyUsed
	case err != nil:
		return unavailable(err)
	}
	p.logins.drop(id) // with what is remembered of the new account
	p.Log.InfoContext(ctx, "a renewed card took its account over", "event", "card_renewed", "login", id, "client", s.Client.ID)
	return nil
}

// agreeToLinking keeps the person's word before anybody is asked (R10).
func (p *Provider) agreeToLinking(ctx context.Context, s Step) (storage.LinkConsent, error) {
	given, err := p.Store.LinkConsents(ctx, s.Login.AccountID)
	switch {
	case err != nil:
		return storage.LinkConsent{}, unavailable(err)
	case len(given) >= maxRenewals:
		return storage.LinkConsent{}, fail.RenewalUnknown.Because(errors.New("asked too often"))
	}
	c := storage.LinkConsent{
		LoginID: s.Login.ID, GivenAt: p.Now(), AccountID: s.Login.AccountID, ClientID: s.Client.ID, Wording: RenewalWording}
	switch err := p.Store.PutLinkConsent(ctx, c); {
	case errors.Is(err, storage.ErrExists): // a double click
		return c, fail.AlreadyUsed
	case err != nil:
		return c, unavailable(err)
	}
	return c, nil
}

// earlier asks for the former cards and fills in whose account they open. Two people never become one: it must be one
// account, with no card besides the former ones, none of which may still be good.
func (p *Provider) earlier(ctx context.Context, s Step, r *storage.Renewal) error {
	var err error
	if r.Previous, err = p.Renewals.Before(ctx, s.Login.Card, RenewalWording, s.Client.ID); err != nil {
		return err
	}
	present, err := p.Store.Predecessors(ctx, r.Previous)
	if err != nil {
		return unavailable(err)
	}
	account, ok := storage.Earlier(present, r.Previous)
	if !ok {
		return fail.RenewalUnknown
	}
	over, err := p.Renewals.Over(ctx, present, s.Client.ID)
	if err != nil {
		return err
	}
	own, err := p.Store.Cards(ctx, r.From)
	switch {
	case err != nil:
		return unavailable(err)
	case !over, len(own) != 1: // the one that the account was made of
		return fail.RenewalUnknown
	}
	r.Index, r.Login = own[0].Index, s.Login
	r.Login.AccountID, r.Login.Version = account, s.Login.Version+1
	return nil
}
