package idp

import (
	"context"

	"tegata/authn"
	"tegata/idp/session"
	"tegata/storage"
)

// endOld ends the session that a fresh login replaces: a browser has one, and its cookie changes at login. For the relying
// parties of the same person it goes on under the new one; those of another person hear that it has ended.
func (p *Provider) endOld(ctx context.Context, fresh *storage.Session, b Browser) {
	if !b.HasSession || fresh == nil {
		return
	}
	if _, err := p.End(ctx, storage.Ending{SessionID: sessionID(b.Session), Heir: fresh.ID}); err != nil {
		p.Log.ErrorContext(ctx, "the replaced session could not be ended", "err", err)
	}
}

func (p *Provider) grant(l storage.Login, link storage.Link, c storage.Client, out responses, code authn.Secret) (storage.Grant, error) {
	id, err := authn.NewSecret(p.Rand)
	if err != nil {
		return storage.Grant{}, err
	}
	subject, err := p.subjectOf(c, link, l.AccountID)
	if err != nil {
		return storage.Grant{}, err
	}
	now := p.Now()
	acr, _ := worth(l.ACR, l.Request)
	return storage.Grant{
		ID: id.Reveal(), ClientID: c.ID, AccountID: l.AccountID, SessionID: l.SessionID, Subject: subject,
		Scopes: l.Request.Scopes, Nonce: l.Request.Nonce, RedirectURI: l.Request.RedirectURI, CodeChallenge: l.Request.CodeChallenge,
		AuthTime: l.AuthTime, TellAuthTime: l.Request.MaxAge != nil || l.Request.TellAuthTime, ACR: acr, AMR: l.AMR,
		IDToken: out.idToken, UserInfo: out.userInfo,
		CodeHash: code.Hash(), CodeExpires: now.Add(CodeLife), Offline: offline(l.Request), DPoPKey: l.Request.DPoPKey, CreatedAt: now,
	}, nil
}

func (p *Provider) newSession(l storage.Login, b Browser, cookie authn.Secret) *storage.Session {
	now := p.Now()
	return &storage.Session{
		ID: sessionID(cookie), AccountID: l.AccountID, AuthTime: l.AuthTime, ACR: l.ACR, AMR: l.AMR, Facts: l.Facts, Browser: b.Family,
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(p.SessionRule.Absolute),
	}
}

func sessionID(cookie authn.Secret) string { return session.ID(cookie.Hash()) }
