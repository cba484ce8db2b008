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
func (p *Provider) good(c storage.Client, facts []byte) bool {
	if len(facts) == 0 {
		return false
	}
	person, err := claims.DecodePerson(facts)
	return err == nil && clients.AcceptsSource(c, string(person.Source())) && (person.Verified() || p.tolerates(c))
}

// tolerates says whether facts that nobody could verify may be used at all for a client: the operator and the client have
// both said so.
func (p *Provider) tolerates(c storage.Client) bool {
	return slices.Contains(p.Sources, source.Unverified) && clients.AcceptsSource(c, source.Unverified)
}

// unverified says that a client would hear facts that nobody could verify.
func (p *Provider) unverified(c storage.Client, facts []byte) bool {
	if len(facts) == 0 || !p.tolerates(c) {
		return false
	}
	person, err := claims.DecodePerson(facts)
	return err == nil && !person.Verified()
}

// known is the person that facts are about, as a client may hear of her.
func (p *Provider) known(c storage.Client, facts []byte) (claims.Person, error) {
	person, err := claims.DecodePerson(facts)
	if err != nil {
		return person, fail.Internal.Because(err)
	}
	if p.tolerates(c) {
		person = person.Tolerated()
	}
	return person, nil
}

// sourcesFor are the attribute sources that will do for a request of a client at present, first choice first. Where all that
// is asked has to be verified, what nobody can verify would be read for nothing.
func (p *Provider) sourcesFor(c storage.Client, r storage.AuthRequest) []string {
	verified := slices.Contains(r.Items, claims.WordVerified)
	vain := verified && p.tolerates(c) && verifiedAlone(r)
	return source.Accepted{Sources: p.sources(), Cheapest: p.Cheapest}.Order(source.Need{
		Verified: verified, Without: r.Without,
		Enough: func(s string) bool { return clients.AcceptsSource(c, s) && !(vain && s == source.Unverified) },
	})
}

// verifiedAlone says that a request asks for nothing about the person but in verified_claims.
func verifiedAlone(r storage.AuthRequest) bool {
	asked, err := parsed(r.Claims)
	return err == nil && len(asked.Items(nil)) == 0 && len(claims.Items(r.Scopes)) == 0
}

// opens is what may open the card-info application for a request, first choice first: the person's own, as far as she has
// said. nil where its attributes are not read.
func (p *Provider) opens(c storage.Client, r storage.AuthRequest) []string {
	if len(authn.Operations(r)) < 2 || !slices.Contains(source.ForAgent(p.sourcesFor(c, r)), statement.CardInfo) {
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
	if !slices.Contains(source.ForAgent(p.sourcesFor(c, l.Request)), statement.CardInfo) {
		return fail.StatementMismatch
	}
	return nil
}

// above refuses card-info data that turned out to be verified by nobody, for a client that does not take that. No agent
// could have known: what the card says looks the same.
func (p *Provider) above(ctx context.Context, l storage.Login, r agent.ResultRequest, e authn.Evidence) error {
	if r.CardInfo == nil {
		return nil
	}
	c, err := p.Client(ctx, l.ClientID)
	if err != nil {
		return err
	}
	if !p.good(c, e.Facts) {
		return fail.ChainUntrusted
	}
	return nil
}
