package idp

import (
	"context"
	"errors"
	"slices"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// MemoryLife is how long facts are remembered after a card said them. It is the same for everybody: the end of a
// certificate would tell a birthday, so that is looked at in secret and only shortens what is used.
const MemoryLife = 180 * 24 * time.Hour

// sources says whether what facts were read from is still good; authn.Sources does.
type sources interface {
	Good(ctx context.Context, proof []byte, client string) error
}

// memorable says whether facts of a login may be remembered: a card has said them just now. Whether anybody could verify
// them is remembered too.
func (p *Provider) memorable(l storage.Login) bool {
	if p.Memories == nil || l.SessionID != "" || l.Request.Recall != "" || len(l.Facts) == 0 {
		return false
	}
	person, err := claims.DecodePerson(l.Facts)
	return err == nil && person.Source() != ""
}

// memorize is what an approval writes when the person lets her facts be remembered in this browser, and the cookie that
// brings them to mind.
func (p *Provider) memorize(ctx context.Context, l storage.Login) (*storage.Memory, *authn.Secret, error) {
	hint, err := authn.NewSecret(p.Rand)
	if err != nil {
		return nil, nil, err
	}
	m := storage.Memory{ACR: l.ACR, Facts: l.Facts, Until: p.Now().Add(MemoryLife)}
	if m, err = p.stronger(ctx, l.AccountID, m); err != nil {
		return nil, nil, err
	}
	m.Hint = hint.Hash()
	return &m, &hint, nil
}

// stronger is what to remember of an account: facts that nobody could verify never take the place of others.
func (p *Provider) stronger(ctx context.Context, account string, m storage.Memory) (storage.Memory, error) {
	person, err := claims.DecodePerson(m.Facts)
	if err != nil || person.Verified() {
		return m, err
	}
	old, err := p.Store.Memory(ctx, account, p.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return m, nil
	case err != nil:
		return m, unavailable(err)
	}
	if before, err := claims.DecodePerson(old.Facts); err != nil || !before.Verified() {
		return m, nil
	}
	return storage.Memory{ACR: old.ACR, Facts: old.Facts, Until: old.Until}, nil
}

// recall names the account whose remembered facts would answer r at c, by the browser's hint: then its card only has to
// show that it is there. "" when nothing comes to mind that would do, and then the card is asked for everything.
func (p *Provider) recall(ctx context.Context, c storage.Client, r storage.AuthRequest, b Browser) (string, error) {
	if !b.HasHint || p.Memories == nil || len(items(r)) == 0 || betrays(c, r) {
		return "", nil
	}
	m, err := p.Store.Hinted(ctx, b.Hint.Hash(), p.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "", nil
	case err != nil:
		return "", unavailable(err)
	}
	if !p.suffices(c, r, m) {
		return "", nil
	}
	return m.AccountID, nil
}

// suffices says whether a memory answers a request as well as a card would that says the same: under the client's floor,
// at the worth of a login here, verified as the client wants it. It looks at no value: whoever stole the browser's cookie
// would otherwise learn from the login page what a value is not.
func (p *Provider) suffices(c storage.Client, r storage.AuthRequest, m storage.Memory) bool {
	person, err := claims.DecodePerson(m.Facts)
	if err != nil || !p.good(c, m.Facts) || m.ACR < p.Judge.ACR() { // the names sort by worth
		return false
	}
	return !slices.Contains(r.Items, claims.WordVerified) || p.verifies(c, r, m, person)
}

// verifies says that the client's conditions on a verification are met as they would be by the card today.
func (p *Provider) verifies(c storage.Client, r storage.AuthRequest, m storage.Memory, person claims.Person) bool {
	if best := p.sourcesFor(c, r); len(best) > 0 && best[0] != string(person.Source()) {
		return false
	}
	l := storage.Login{Request: r, ACR: m.ACR, AuthTime: p.Now()}
	then, err := p.wants(l, person)
	if err != nil {
		return false
	}
	today, err := p.wants(l, person.Read(p.Now(), nil))
	return err == nil && len(then.IDToken.Verified) == len(today.IDToken.Verified) && len(then.UserInfo.Verified) == len(today.UserInfo.Verified)
}

// recalled fills a login that counted on remembered facts, once its card has shown whose it is. Somebody else's card, or
// facts that are gone or no good any more, take it back to its beginning: there it asks the card for everything, and
// nobody learns whose facts were meant.
func (p *Provider) recalled(ctx context.Context, c storage.Client, verified, returned storage.Login) (storage.Login, error) {
	if returned.AccountID != returned.Request.Recall {
		return authn.Again(verified), nil
	}
	m, err := p.Store.Memory(ctx, returned.AccountID, p.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return authn.Again(verified), nil
	case err != nil:
		return verified, unavailable(err)
	}
	person, err := claims.DecodePerson(m.Facts)
	if err != nil || !p.suffices(c, returned.Request, m) {
		return authn.Again(verified), nil
	}
	switch err := p.Memories.Good(ctx, person.Proof(), c.ID); {
	case errors.Is(err, fail.RevocationUnavailable):
		return authn.Again(verified), nil // the card can still say it itself
	case err != nil:
		p.Log.InfoContext(ctx, "what remembered facts were read from is not good any more", "event", "memory_over", "client", c.ID)
		if err := p.Store.Forget(ctx, returned.AccountID); err != nil {
			return verified, unavailable(err)
		}
		return authn.Again(verified), nil
	}
	returned.Facts = m.Facts
	return returned, nil
}

// ForgetHint makes this browser bring nobody to mind, and its login ask the card for everything: it is somebody else's
// turn, or the person wants it so.
func (p *Provider) ForgetHint(ctx context.Context, id string, b Browser) (Step, error) {
	s, err := p.move(ctx, id, b, func(l storage.Login) (storage.Login, error) {
		if l.State != storage.Created || l.Request.Recall == "" {
			return l, fail.AlreadyUsed
		}
		next := authn.Again(l)
		next.Progress = ""
		return next, nil
	})
	if err != nil || !b.HasHint {
		return s, err
	}
	if err := p.Store.ForgetHint(ctx, b.Hint.Hash()); err != nil {
		return Step{}, unavailable(err)
	}
	return s, nil
}
