package idp

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// Return takes the login back from the agent into its browser: code is what the agent put into the address.
// When nothing new is asked, the relying party is answered at once.
func (p *Provider) Return(ctx context.Context, code string, b Browser) (Step, error) {
	id, text, _ := strings.Cut(code, ".")
	secret, ok := authn.ParseSecret(text)
	if !ok {
		return Step{}, fail.LoginUnknown
	}
	var link storage.Link
	var client storage.Client
	l, err := p.swap(ctx, id, func(l storage.Login) (storage.Login, error) {
		var err error
		if client, err = p.party(ctx, l.ClientID); err != nil {
			return l, err
		}
		next, err := authn.Return(l, secret, b.Secret, p.Now())
		if err != nil || l.Request.Recall == "" {
			return next, err
		}
		return p.recalled(ctx, client, l, next)
	}, func(ctx context.Context, was storage.Login, l *storage.Login) error {
		if l.State != storage.Returned {
			return p.Store.SwapLogin(ctx, was, *l)
		}
		var err error
		link, err = p.Store.ReturnLogin(ctx, was, *l, client.Sectors())
		link = usable(client, link)
		return err
	})
	if errors.Is(err, fail.DifferentBrowser) {
		p.Log.WarnContext(ctx, "completion code in another browser", "event", "login_burned", "login", id, "client", l.ClientID)
	}
	if err != nil {
		return Step{}, err
	}
	if l.State == storage.Created {
		return p.step(l, nil, client, b)
	}
	if !expected(l.Request, link) {
		return p.refuseReturned(ctx, id, client, fail.LoginRequired)
	}
	if _, met := worth(l.ACR, l.Request); !met {
		return p.refuseReturned(ctx, id, client, fail.ACRNotMet)
	}
	if err := p.countNo(ctx, l, &link, client); err != nil {
		return Step{}, err
	}
	p.logins.put(l, &link)
	if client.ID == Own {
		return p.enter(ctx, l, client, b)
	}
	if covered(client, link, l.Request, p.unverified(client, l.Facts)) && !slices.Contains(l.Request.Prompt, "consent") {
		return p.approve(ctx, l, true, link, client, b, agreement{items: items(l.Request)})
	}
	return p.step(l, &link, client, b)
}

// expected says whether the person of link is the one that the relying party named, if it named one. It knows only
// people who have a subject there already, so somebody new is never the one.
func expected(r storage.AuthRequest, link storage.Link) bool {
	return (r.Subject == "" || r.Subject == link.Subject) && (r.Subjects == nil || slices.Contains(r.Subjects, link.Subject))
}

// refuseReturned ends a login that is not the one which the relying party asked for: somebody else's (OIDC Core 3.1.2.1,
// id_token_hint; 5.5.1, sub), or not worth enough (5.5.1.1).
func (p *Provider) refuseReturned(ctx context.Context, id string, c storage.Client, e *fail.Error) (Step, error) {
	l, err := p.swap(ctx, id, func(l storage.Login) (storage.Login, error) {
		if l.State != storage.Returned {
			return l, fail.AlreadyUsed
		}
		return authn.Fail(l, e.Code), nil
	}, p.plainSwap)
	if err != nil {
		return Step{}, err
	}
	return p.leave(Step{Login: l, Client: c, Err: e})
}

// Optional says whether a person may leave items out one by one: where several can be sent, each may stay here. A single
// one is what the whole request is about; saying no to it is the refuse button.
func Optional(offers []claims.Offer) bool {
	available := 0
	for _, o := range offers {
		if o.Available {
			available++
		}
	}
	return available > 1
}

// Decision is what the person decided on the consent page.
type Decision struct {
	Items    []string // left ticked
	Texts    string   // version of the texts that the page showed; "" not known
	Remember bool     // what the card said may be remembered, for this browser
	// Latest answers the LatestQuestion that the decision led to; "" while it has not been asked.
	Latest string
}

// agreement is a decision about items of the request.
type agreement struct {
	items    []claims.Item
	texts    string
	remember bool
}

// Approve answers with the items the person left ticked; names outside the request are refused.
func (p *Provider) Approve(ctx context.Context, id string, b Browser, d Decision) (Step, error) {
	e, ok := p.logins.get(id)
	if !ok || e.login.State != storage.Returned {
		var err error
		if e, err = p.load(ctx, id); err != nil {
			return Step{}, err
		}
	}
	s, err := p.resume(ctx, e.login, e.link, b)
	if err != nil {
		return Step{}, err
	}
	if s.Show != ShowConsent {
		return Step{}, fail.AlreadyUsed
	}
	if s.Client.ID == Own { // Return was interrupted
		return p.enter(ctx, s.Login, s.Client, b)
	}
	if !Optional(s.Offers) {
		d.Items = nil
		for _, o := range s.Offers {
			d.Items = append(d.Items, string(o.Item))
		}
	}
	consented, err := among(items(s.Login.Request), d.Items)
	if err != nil {
		return Step{}, err
	}
	if len(s.Link.Items) > 0 { // some may have been taken back since the page was drawn
		if s.Link, err = p.Store.Link(ctx, s.Login.AccountID, s.Client.ID, s.Client.Sectors()); err != nil {
			return Step{}, unavailable(err)
		}
		s.Link = usable(s.Client, s.Link)
	}
	if !expected(s.Login.Request, s.Link) { // the form was quicker than Return
		return p.refuseReturned(ctx, id, s.Client, fail.LoginRequired)
	}
	said := agreement{consented, d.Texts, d.Remember}
	q, err := p.askLatest(ctx, s, said)
	switch {
	case err != nil:
		return Step{}, err
	case q != nil && d.Latest == "":
		q.Said, s.Show, s.Latest = d, ShowLatest, q
		return s, nil
	case q != nil:
		if err := p.noteLatest(ctx, s, *q, d); err != nil {
			return Step{}, err
		}
	}
	return p.approve(ctx, s.Login, true, s.Link, s.Client, b, said)
}

// pushedMemory is how long an answered request_uri is remembered: longer than any login that it started may take.
const pushedMemory = time.Hour

// approve writes the answer and addresses it. stored says whether l is a record already.
func (p *Provider) approve(ctx context.Context, l storage.Login, stored bool, link storage.Link, c storage.Client, b Browser, said agreement) (Step, error) {
	offered, err := p.offer(l, link, c)
	if err != nil {
		return Step{}, err
	}
	if nothing(c, offered.offers) {
		return p.decline(ctx, l, link, c)
	}
	released := offered.wants.Release(offered.offers, said.items)
	told, err := p.tell(offered, released.Answered, link, c)
	if err != nil {
		return Step{}, err
	}
	out, abort, err := responsesTo(l, c, said.items, released)
	switch {
	case err != nil:
		return Step{}, err
	case abort:
		s, err := p.abort(ctx, l, stored, c, told)
		if errors.Is(err, storage.ErrStale) {
			return p.again(ctx, l, stored, link, c, b, said)
		}
		return s, err
	}
	code, err := authn.NewSecret(p.Rand)
	if err != nil {
		return Step{}, err
	}
	grant, err := p.grant(l, link, c, out, code)
	if err != nil {
		return Step{}, err
	}
	a := storage.Approval{Grant: grant, Told: told}
	if a.Release, err = p.history(l, sharedAs(offered.offers), out.items); err != nil {
		return Step{}, err
	}
	if !clients.Transient(c) {
		a.Sector, a.Items = toRemember(c, link, agreed(l.Request, said.items, offered.offers))
		a.Texts = agreedTexts(said.texts, c, a.Items)
	}
	if l.Request.Pushed != nil {
		a.Spend = &storage.Spent{Hash: l.Request.Pushed, Until: p.Now().Add(pushedMemory)}
	}
	s := Step{Show: ShowAnswer, Client: c}
	if said.remember && p.memorable(l) {
		if a.Memory, s.Hint, err = p.memorize(ctx, l); err != nil {
			return Step{}, err
		}
	}
	if l.SessionID == "" {
		cookie, err := authn.NewSecret(p.Rand)
		if err != nil {
			return Step{}, err
		}
		a.Session = p.newSession(l, b, cookie)
		a.Grant.SessionID, s.Cookie = a.Session.ID, &cookie
	}
	a.Grant.SID = p.sid(c, a.Grant.SessionID)
	if stored {
		done, err := authn.Answer(l)
		if err != nil {
			return Step{}, err
		}
		a.Login, s.Login = &done, done
	}
	switch err := p.Store.ApproveLogin(ctx, a); {
	case errors.Is(err, storage.ErrStale):
		return p.again(ctx, l, stored, link, c, b, said)
	case err != nil:
		return Step{}, unavailable(err)
	}
	p.logins.drop(l.ID)
	p.endOld(ctx, a.Session, b)
	params, err := p.success(c, code)
	if err != nil {
		return Step{}, err
	}
	s.Answer, err = p.answer(c, l.Request, params...)
	return s, err
}

// toRemember is what is new between a person and a client: the sector of a first subject, and items once more was agreed to.
func toRemember(c storage.Client, link storage.Link, agreed []claims.Item) (sector string, items []string) {
	if link.Subject == "" {
		sector = c.Sector
	}
	if repurposed(c, link) { // what was agreed to for something else is over
		return sector, merge(nil, agreed)
	}
	if all := merge(link.Items, agreed); link.Subject == "" || link.Items == nil || len(all) > len(link.Items) {
		items = all
	}
	return sector, items
}

// again decides a second time when another answer to the same sector came first: the ledger has moved. Otherwise the
// login itself has.
func (p *Provider) again(ctx context.Context, l storage.Login, stored bool, old storage.Link, c storage.Client, b Browser, said agreement) (Step, error) {
	link, err := p.Store.Link(ctx, l.AccountID, c.ID, c.Sectors())
	switch {
	case err != nil:
		return Step{}, unavailable(err)
	case link.Told.Version == old.Told.Version:
		return Step{}, fail.AlreadyUsed
	}
	return p.approve(ctx, l, stored, usable(c, link), c, b, said)
}

// among turns form values into items of the request.
func among(asked []claims.Item, names []string) ([]claims.Item, error) {
	var out []claims.Item
	for _, n := range names {
		i := claims.Item(n)
		if !slices.Contains(asked, i) {
			return nil, fail.BadInput.At("item")
		}
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out, nil
}

// merge adds consented to what is remembered.
func merge(remembered []string, consented []claims.Item) []string {
	out := slices.Clone(remembered)
	if out == nil {
		out = []string{}
	}
	for _, i := range consented {
		if !slices.Contains(out, string(i)) {
			out = append(out, string(i))
		}
	}
	return out
}
