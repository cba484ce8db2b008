package idp

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// good says whether facts from an earlier login are enough for a client's policy.
func good(c storage.Client, facts []byte) bool {
	if len(facts) == 0 {
		return false
	}
	if c.Policy.Source == "" {
		return true
	}
	person, err := claims.DecodePerson(facts)
	return err == nil && clients.AcceptsSource(c, string(person.Source()))
}

// sourcesFor are the attribute sources that an agent may use for a request of a client at present, first choice first.
func (p *Provider) sourcesFor(c storage.Client, r storage.AuthRequest) []string {
	return source.Accepted{Sources: p.sources(), Cheapest: p.Cheapest}.Order(source.Need{
		Verified: slices.Contains(r.Items, claims.WordVerified), Without: r.Without,
		Enough: func(s string) bool { return clients.AcceptsSource(c, s) },
	})
}

// opens is what may open the card-info application for a request, first choice first: the person's own, as far as she has
// said. nil where its attributes are not read.
func (p *Provider) opens(c storage.Client, r storage.AuthRequest) []string {
	if len(authn.Operations(r)) < 2 || !slices.Contains(p.sourcesFor(c, r), statement.CardInfo) {
		return nil
	}
	ways := []string{statement.CardInfoPIN, statement.NumberB}
	if r.Printed {
		slices.Reverse(ways)
	}
	return slices.DeleteFunc(ways, func(way string) bool { return p.allowed(way) != nil })
}

// another keeps a login open whose card has no good signature certificate, where its facts may come from elsewhere: once,
// and without that certificate.
func (p *Provider) another(ctx context.Context, judged storage.Login, refusal error) bool {
	if !errors.Is(refusal, fail.SignCertEnded) {
		return false
	}
	c, err := p.Client(ctx, judged.ClientID)
	if err != nil {
		return false
	}
	without := append(slices.Clone(judged.Request.Without), statement.SignatureCertificate)
	judged.Request.Without = without
	if len(p.sourcesFor(c, judged.Request)) == 0 {
		return false
	}
	_, err = p.swap(ctx, judged.ID, func(l storage.Login) (storage.Login, error) {
		if !bytes.Equal(l.Nonce, judged.Nonce) || slices.Contains(l.Request.Without, statement.SignatureCertificate) {
			return l, fail.AlreadyUsed
		}
		if err := authn.Held(l, p.Now()); err != nil {
			return l, err
		}
		return authn.Without(l, without), nil
	}, p.plainSwap)
	return err == nil
}

// acceptable refuses attributes from a source below the client's floor, and of a certificate that has ended already. An
// agent is told the sources, so this is one that does not listen.
func (p *Provider) acceptable(ctx context.Context, l storage.Login, r agent.ResultRequest) error {
	if r.Attributes != "" && slices.Contains(l.Request.Without, statement.SignatureCertificate) {
		return fail.StatementMismatch
	}
	if r.CardInfo == nil {
		return nil
	}
	c, err := p.Client(ctx, l.ClientID)
	if err != nil {
		return err
	}
	if !clients.AcceptsSource(c, string(claims.CardInfo)) {
		return fail.StatementMismatch
	}
	return nil
}
