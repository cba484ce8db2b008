package idp

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/url"
	"time"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/storage"
)

// ClaimTicket gives the login of a ticket to the agent that holds key, and tells it what to show and to sign.
func (p *Provider) ClaimTicket(ctx context.Context, r agent.ClaimRequest, key []byte) (agent.Context, error) {
	if r.Return != "" {
		if err := agent.ValidReturn(r.Return); err != nil {
			return agent.Context{}, err
		}
	}
	if agent.Older(r.Version, p.MinAgent) {
		return agent.Context{}, fail.AgentOutdated
	}
	ticket, err := agent.ParseTicket(r.Ticket)
	if err != nil {
		return agent.Context{}, err
	}
	secret, ok := authn.ParseSecret(ticket.Secret)
	if !ok {
		return agent.Context{}, fail.BadInput.At("ticket")
	}
	l, err := p.swap(ctx, ticket.Login, func(l storage.Login) (storage.Login, error) {
		if err := p.servable(ctx, l); err != nil {
			return l, err
		}
		return authn.Claim(l, secret, key, r.Version, r.Return, p.Now(), p.Rand)
	}, p.plainSwap)
	if err != nil {
		return agent.Context{}, err
	}
	c, err := p.party(ctx, l.ClientID)
	if err != nil {
		return agent.Context{}, err
	}
	return p.agentContext(l, c), nil
}

func (p *Provider) agentContext(l storage.Login, c storage.Client) agent.Context {
	ctx := agent.Context{
		Login: l.ID, Issuer: p.Issuer, Operations: authn.Operations(l.Request), Nonce: base64.RawURLEncoding.EncodeToString(l.Nonce),
		Number: l.Number, Declaration: statement.ShareAttributes, Expires: l.ExpiresAt.UTC().Truncate(time.Second), MinVersion: p.MinAgent,
		Client: agent.RelyingParty{ID: c.ID, Name: c.Name, NameJa: c.NameJa, Purpose: c.Purpose, PurposeJa: c.PurposeJa},
		Items:  []string{},
	}
	if u, err := url.Parse(l.Request.RedirectURI); err == nil {
		ctx.Client.Host = u.Host
	}
	asked := items(l.Request)
	for _, i := range asked {
		ctx.Items = append(ctx.Items, string(i))
	}
	if len(ctx.Operations) > 1 {
		ctx.Sources, ctx.CardInfoBy = source.ForAgent(p.sourcesFor(c, l.Request)), p.opens(c, l.Request)
	}
	return ctx
}

// AgentKey is the key that claimed a login; every later call must be proved with it.
func (p *Provider) AgentKey(ctx context.Context, login string) ([]byte, error) {
	e, ok := p.logins.get(login)
	if !ok || len(e.login.AgentKey) == 0 {
		var err error
		if e, err = p.load(ctx, login); err != nil {
			return nil, err
		}
	}
	if len(e.login.AgentKey) == 0 {
		return nil, fail.LoginUnknown
	}
	return e.login.AgentKey, nil
}

// Report passes the agent's progress on to the page.
func (p *Provider) Report(ctx context.Context, r agent.ProgressRequest) error {
	tries := fail.NoTries
	if r.Tries != nil {
		tries = *r.Tries
	}
	_, err := p.swap(ctx, r.Login, func(l storage.Login) (storage.Login, error) {
		return authn.Report(l, r.Code, tries, p.Now())
	}, p.plainSwap)
	return err
}

// GiveUp ends a login because the person said no at the agent, or the card cannot go on.
func (p *Provider) GiveUp(ctx context.Context, r agent.CancelRequest) error {
	if fail.ByCode(r.Code).Code != r.Code {
		return fail.BadInput.At("code")
	}
	_, err := p.swap(ctx, r.Login, func(l storage.Login) (storage.Login, error) {
		if err := authn.Held(l, p.Now()); err != nil {
			return l, err
		}
		if r.Code == fail.UserCancelled.Code {
			return authn.Cancel(l)
		}
		return authn.Fail(l, r.Code), nil
	}, p.plainSwap)
	return err
}

// Result judges the agent's evidence. Good evidence gives the completion code, for this agent alone; a refusal ends the
// login, so that nobody can try variations on it.
func (p *Provider) Result(ctx context.Context, r agent.ResultRequest) (string, error) {
	judged, err := p.held(ctx, r.Login)
	if err != nil {
		return "", err
	}
	if err := p.allowed(methodsOf(r)...); err != nil {
		return "", err
	}
	if err := p.acceptable(ctx, judged, r); err != nil {
		return "", p.reject(ctx, judged, fail.From(err))
	}
	evidence, err := p.Judge.Judge(ctx, judged, r)
	if err != nil && p.another(ctx, judged, err) {
		return "", err
	}
	if err == nil {
		err = p.above(ctx, judged, r, evidence)
	}
	if err != nil {
		return "", p.reject(ctx, judged, fail.From(err))
	}
	if c, err := p.party(ctx, judged.ClientID); err != nil || !p.hearsLatest(c) {
		evidence.SignCard = nil // nobody will ever ask with it
	}
	account, err := authn.NewSecret(p.Rand)
	if err != nil {
		return "", err
	}
	var code authn.Secret
	l, err := p.swap(ctx, r.Login, func(l storage.Login) (storage.Login, error) {
		if !bytes.Equal(l.Nonce, judged.Nonce) { // restarted while we judged
			return l, fail.StatementMismatch
		}
		next, c, err := authn.Verify(l, evidence, p.Now(), p.Rand)
		code = c
		return next, err
	}, func(ctx context.Context, was storage.Login, l *storage.Login) error {
		id, err := p.Store.VerifyLogin(ctx, was, *l, storage.Credential{
			Index: evidence.Index, AccountID: account.Reveal(), Card: evidence.Card, SeenAt: p.Now()})
		l.AccountID = id
		return err
	})
	if err != nil {
		return "", err
	}
	return l.ID + "." + code.Reveal(), nil
}

// held reads a login that an agent may still answer.
func (p *Provider) held(ctx context.Context, id string) (storage.Login, error) {
	e, ok := p.logins.get(id)
	if !ok || authn.Held(e.login, p.Now()) != nil {
		var err error
		if e, err = p.load(ctx, id); err != nil {
			return storage.Login{}, err
		}
	}
	return e.login, authn.Held(e.login, p.Now())
}

// reject writes the refusal into the login. A refusal that is our own trouble leaves the login as it is.
func (p *Provider) reject(ctx context.Context, judged storage.Login, refusal *fail.Error) error {
	if refusal.Status >= 500 && refusal.OAuth == "server_error" {
		return refusal
	}
	_, err := p.swap(ctx, judged.ID, func(l storage.Login) (storage.Login, error) {
		if !bytes.Equal(l.Nonce, judged.Nonce) {
			return l, fail.AlreadyUsed
		}
		if err := authn.Held(l, p.Now()); err != nil {
			return l, err
		}
		return authn.Fail(l, refusal.Code), nil
	}, p.plainSwap)
	if err != nil {
		p.Log.WarnContext(ctx, "a refused result could not be noted", "login", judged.ID, "err", fail.From(err))
	}
	return refusal
}
