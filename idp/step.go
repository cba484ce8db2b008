package idp

import (
	"context"
	"errors"
	"slices"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// Browser is what a request's cookies say. Without Known the browser has not shown its secret.
type Browser struct {
	Secret     authn.Secret
	Known      bool
	Session    authn.Secret
	HasSession bool
	Hint       authn.Secret // brings a person to mind, see recall; it opens nothing
	HasHint    bool
	Family     string // such as "Firefox, Windows"; a session keeps it for its owner's eyes
}

// Show is what the browser sees next. The zero value shows nothing and is a bug.
type Show int

const (
	ShowLogin   Show = iota + 1 // choose how to log in
	ShowWait                    // the agent works; Ticket is out
	ShowReturn                  // go to the agent's loopback address
	ShowConsent                 // say what may be sent
	ShowAnswer                  // go back to the relying party
	ShowFailure                 // say why not, offer the way back
	ShowOwn                     // the person's own pages
	ShowLatest                  // ask whether later changes may be told too
)

// Step is what comes next in a login.
type Step struct {
	Show    Show
	Login   storage.Login
	Client  storage.Client
	Ticket  string          // ShowWait: the launch link's ticket
	Sources []string        // ShowLogin: where the facts may come from, first choice first; nil when nothing is asked
	Opens   []string        // ShowLogin, ShowWait: what may open the card-info application, as told to agents; nil where it is not read
	Offers  []claims.Offer  // ShowConsent
	Needed  []claims.Item   // ShowConsent: the relying party says that it needs these
	Ages    claims.AgeRules // ShowConsent: how ages are counted for this relying party
	Link    storage.Link    // ShowConsent: what is remembered between the person and the client
	Wants   claims.Wants    // ShowConsent: where the offers would go
	Ends    time.Time       // ShowConsent: the card's certificate ends then, which is soon; zero: not
	// Renewable: ShowConsent, the card may have replaced another one, see TakeOver.
	Renewable bool
	Latest    *LatestQuestion // ShowLatest
	// LatestEnds: ShowConsent of Resume, the last day of what she agreed to about changes, which is near; zero: not.
	LatestEnds time.Time
	Memorable  bool          // ShowConsent: what the card said may be remembered, see Decision.Remember
	Hint       *authn.Secret // a new hint for the browser
	Answer     Answer        // ShowAnswer
	Err        *fail.Error   // ShowFailure
	Why        *Explained    // ShowAnswer: what the client's developers may see of a request that was refused; nil for nothing
	Cookie     *authn.Secret // a new SSO session for the browser
}

// step is the dispatcher: one login, one next thing. The link is needed from Returned on.
func (p *Provider) step(l storage.Login, link *storage.Link, c storage.Client, b Browser) (Step, error) {
	s := Step{Login: l, Client: c}
	switch l.State {
	case storage.Created:
		s.Show = ShowLogin
		if len(items(l.Request)) > 0 {
			s.Sources, s.Opens = p.sourcesFor(c, l.Request), p.opens(c, l.Request)
		}
	case storage.Waiting, storage.Claimed:
		s.Show, s.Ticket, s.Opens = ShowWait, authn.Ticket(l, b.Secret), p.opens(c, l.Request)
	case storage.Verified:
		s.Show = ShowReturn
		if l.ReturnTo == "" { // an agent without a loopback address opens the browser itself
			s.Show = ShowWait
		}
	case storage.Returned:
		offered, err := p.offer(l, *link, c)
		if err != nil {
			return Step{}, err
		}
		s.Ages = clients.AgeRules(c, p.AgeRules)
		if s.Needed, err = essential(l); err != nil {
			return Step{}, err
		}
		s.Show, s.Offers, s.Wants, s.Link = ShowConsent, offered.offers, offered.wants, *link
		s.Ends, s.Renewable, s.Memorable = p.endsSoon(l.Card), p.renewable(l, *link), p.memorable(l)
	case storage.Failed, storage.Cancelled:
		s.Show, s.Err = ShowFailure, fail.ByCode(l.Failure)
	case storage.Burned:
		return Step{}, fail.DifferentBrowser
	default:
		return Step{}, fail.AlreadyUsed
	}
	return s, nil
}

// Resume says where the login stands, for a page load or a status question.
func (p *Provider) Resume(ctx context.Context, id string, b Browser) (Step, error) {
	e, ok := p.logins.fresh(id)
	if !ok {
		var err error
		if e, err = p.load(ctx, id); err != nil {
			return Step{}, err
		}
	}
	s, err := p.resume(ctx, e.login, e.link, b)
	if err != nil || s.Show != ShowConsent || !p.hearsLatest(s.Client) {
		return s, err
	}
	s.LatestEnds, err = p.latestEnds(ctx, s.Login)
	return s, err
}

// resume shows a login to the browser that began it; a nil link is read where it is needed.
func (p *Provider) resume(ctx context.Context, l storage.Login, link *storage.Link, b Browser) (Step, error) {
	if !b.Known {
		return Step{}, fail.CookiesBlocked
	}
	if err := authn.Check(l, b.Secret, p.Now()); err != nil {
		return Step{}, err
	}
	c, err := p.party(ctx, l.ClientID)
	if err != nil {
		return Step{}, err
	}
	if l.State == storage.Returned && link == nil {
		read, err := p.Store.Link(ctx, l.AccountID, c.ID, c.Sectors())
		if err != nil {
			return Step{}, unavailable(err)
		}
		read = usable(c, read)
		link = &read
	}
	return p.step(l, link, c, b)
}

// Watch waits until the login has moved past version or atMost is over, then resumes it.
func (p *Provider) Watch(ctx context.Context, id string, b Browser, version int64, atMost time.Duration) (Step, error) {
	p.logins.wait(ctx, id, version, atMost)
	return p.Resume(ctx, id, b)
}

// Starting is how a person starts with the card.
type Starting struct {
	Lang    string // that the person clicked, or "": it is kept with the login, because the way back from the agent carries nothing but a code
	Printed bool   // she wants the numbers printed on the card to open its four attributes, where those are read
}

// Start puts a ticket out: the person has chosen the reader.
func (p *Provider) Start(ctx context.Context, id string, b Browser, s Starting) (Step, error) {
	return p.move(ctx, id, b, func(l storage.Login) (storage.Login, error) {
		if err := p.servable(ctx, l); err != nil {
			return l, err
		}
		if s.Lang != "" {
			l.Request.UILocales = []string{s.Lang}
		}
		l.Request.Without, l.Request.Printed = nil, s.Printed // it may be another card
		return authn.Start(l, b.Secret, p.Now(), p.Rand)
	})
}

// Cancel ends the login by the person's wish and answers the relying party.
func (p *Provider) Cancel(ctx context.Context, id string, b Browser) (Step, error) {
	var at storage.LoginState
	s, err := p.move(ctx, id, b, func(l storage.Login) (storage.Login, error) {
		at = l.State
		return authn.Cancel(l)
	})
	if err != nil {
		return Step{}, err
	}
	if at == storage.Returned && s.Client.ID != Own {
		p.noteDeclined(ctx, s.Login)
	}
	return p.leave(s)
}

// Leave answers the relying party for a login that has ended without success. It changes nothing.
func (p *Provider) Leave(ctx context.Context, id string, b Browser) (Step, error) {
	s, err := p.Resume(ctx, id, b)
	if err != nil {
		return Step{}, err
	}
	if s.Show != ShowFailure {
		return s, nil
	}
	return p.leave(s)
}

func (p *Provider) leave(s Step) (Step, error) {
	if s.Client.ID == Own {
		s.Show = ShowOwn
		return s, nil
	}
	var err error
	s.Show = ShowAnswer
	s.Answer, err = p.Refusal(s.Client, s.Login.Request, s.Err)
	return s, err
}

// move applies one pure step to the login of this browser and stores it.
func (p *Provider) move(ctx context.Context, id string, b Browser, decide func(storage.Login) (storage.Login, error)) (Step, error) {
	if !b.Known {
		return Step{}, fail.CookiesBlocked
	}
	l, err := p.swap(ctx, id, func(l storage.Login) (storage.Login, error) {
		if err := authn.Check(l, b.Secret, p.Now()); err != nil {
			return l, err
		}
		return decide(l)
	}, p.plainSwap)
	if err != nil {
		return Step{}, err
	}
	return p.resume(ctx, l, nil, b)
}

// maxRaces is how often a step may lose against another one of the same login, such as progress notes that race with the
// result, before somebody else must be driving it.
const maxRaces = 5

// swap decides on the copy at hand and stores the result. When the copy was old, it decides again on the stored record.
func (p *Provider) swap(ctx context.Context, id string, decide func(storage.Login) (storage.Login, error), write writing) (storage.Login, error) {
	e, cached := p.logins.get(id)
	for range maxRaces {
		if !cached {
			var err error
			if e, err = p.load(ctx, id); err != nil {
				return storage.Login{}, err
			}
		}
		l, refusal := decide(e.login)
		if refusal != nil && l.Version == e.login.Version {
			if cached { // perhaps only this copy is old
				cached = false
				continue
			}
			return l, refusal
		}
		switch err := write(ctx, e.login, &l); {
		case err == nil:
			p.logins.put(l, nil)
			return l, refusal
		case !errors.Is(err, storage.ErrStale):
			return l, unavailable(err)
		}
		cached = false
	}
	return storage.Login{}, fail.AlreadyUsed
}

// writing stores the next version of a login. What the store decided is filled in.
type writing func(ctx context.Context, was storage.Login, next *storage.Login) error

func (p *Provider) plainSwap(ctx context.Context, was storage.Login, next *storage.Login) error {
	return p.Store.SwapLogin(ctx, was, *next)
}

// load reads the stored record.
func (p *Provider) load(ctx context.Context, id string) (cachedLogin, error) {
	l, err := p.Store.Login(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		p.logins.drop(id)
		return cachedLogin{}, fail.LoginUnknown
	}
	if err != nil {
		return cachedLogin{}, unavailable(err)
	}
	p.logins.put(l, nil)
	e, _ := p.logins.get(id)
	return e, nil
}

// unavailable codes a store error; coded errors pass.
func unavailable(err error) error {
	var coded *fail.Error
	if errors.As(err, &coded) {
		return err
	}
	return fail.Unavailable.Because(err)
}

// covered says whether the person has agreed to all of a request before, for what the client wants it for, and to that
// nobody could verify it, where that is so.
func covered(c storage.Client, link storage.Link, r storage.AuthRequest, unverified bool) bool {
	if repurposed(c, link) || link.Subject == "" || link.Items == nil || offline(r) && !slices.Contains(link.Items, claims.ScopeOffline) {
		return false
	}
	if unverified && !slices.Contains(link.Items, claims.Unverified) {
		return false
	}
	if slices.Contains(r.Items, claims.WordVerified) && !slices.Contains(link.Items, claims.WordVerified) {
		return false
	}
	for _, i := range items(r) {
		if !slices.Contains(link.Items, string(i)) {
			return false
		}
	}
	return true
}
