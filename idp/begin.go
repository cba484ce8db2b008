package idp

import (
	"context"
	"errors"
	"slices"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/idp/session"
	"tegata/storage"
)

// Begin answers a validated authorization request of client c as far as it can be answered now: at once from the SSO
// session, with a consent page, or with a login.
func (p *Provider) Begin(ctx context.Context, c storage.Client, r storage.AuthRequest, b Browser) (Step, error) {
	if !b.Known {
		return Step{}, fail.Internal.Because(errors.New("a login needs a browser with a secret"))
	}
	r, err := p.understand(r)
	if err != nil {
		return p.refuse(c, r, fail.From(err))
	}
	if e := unanswerable(c, r); e != nil {
		return p.refuse(c, r, e)
	}
	if err := p.CanEncrypt(ctx, c, r); err != nil {
		return Step{}, err
	}
	if b.HasSession && !betrays(c, r) {
		s, link, err := p.session(ctx, c, b)
		switch {
		case err == nil:
			_, met := worth(s.ACR, r)
			hasFacts := len(items(r)) == 0 || p.good(c, s.Facts)
			old, err := p.tooOld(r, s)
			if err != nil {
				return Step{}, err
			}
			if expected(r, link) && hasFacts && met && !old && session.Serves(s, r, p.Now()) {
				return p.fromSession(ctx, c, r, b, s, link)
			}
		case !errors.Is(err, storage.ErrNotFound):
			return Step{}, unavailable(err)
		}
	}
	if slices.Contains(r.Prompt, "none") {
		return p.refuse(c, r, fail.LoginRequired)
	}
	if r.Recall, err = p.recall(ctx, c, r, b); err != nil {
		return Step{}, err
	}
	l, err := authn.Begin(c.ID, r, b.Secret, p.Now(), p.Rand)
	if err != nil {
		return Step{}, err
	}
	return p.create(ctx, l, nil, c, b)
}

// session reads the browser's live session with what is remembered of its person at c.
func (p *Provider) session(ctx context.Context, c storage.Client, b Browser) (storage.Session, storage.Link, error) {
	now := p.Now()
	s, link, err := p.Store.SessionLink(ctx, sessionID(b.Session), c.ID, c.Sectors(), now, now.Add(-p.SessionRule.Idle))
	return s, usable(c, link), err
}

// fromSession answers without the card. What was never agreed to still asks first.
func (p *Provider) fromSession(ctx context.Context, c storage.Client, r storage.AuthRequest, b Browser, s storage.Session, link storage.Link) (Step, error) {
	l, err := authn.Begin(c.ID, r, b.Secret, p.Now(), p.Rand)
	if err != nil {
		return Step{}, err
	}
	l.State = storage.Returned
	l.AccountID, l.SessionID = s.AccountID, s.ID
	l.AuthTime, l.ACR, l.AMR, l.Facts = s.AuthTime, s.ACR, s.AMR, s.Facts
	if covered(c, link, r, p.unverified(c, l.Facts)) && !slices.Contains(r.Prompt, "consent") {
		return p.approve(ctx, l, false, link, c, b, agreement{items: items(r)})
	}
	if slices.Contains(r.Prompt, "none") {
		return p.refuse(c, r, fail.ConsentRequired)
	}
	if err := p.countNo(ctx, l, &link, c); err != nil {
		return Step{}, err
	}
	return p.create(ctx, l, &link, c, b)
}

func (p *Provider) create(ctx context.Context, l storage.Login, link *storage.Link, c storage.Client, b Browser) (Step, error) {
	if err := p.Store.CreateLogin(ctx, l); err != nil {
		return Step{}, unavailable(err)
	}
	p.logins.put(l, link)
	return p.step(l, link, c, b)
}

func (p *Provider) refuse(c storage.Client, r storage.AuthRequest, e *fail.Error) (Step, error) {
	answer, err := p.Refusal(c, r, e)
	return Step{Show: ShowAnswer, Client: c, Err: e, Answer: answer}, err
}
