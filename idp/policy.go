package idp

import (
	"context"
	"slices"

	"tegata/authn/agent"
	"tegata/authn/fail"
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

// sourcesFor are the attribute sources that an agent may use for a client at present, best first.
func (p *Provider) sourcesFor(c storage.Client) []string {
	return slices.DeleteFunc(p.sources(), func(source string) bool { return !clients.AcceptsSource(c, source) })
}

// acceptable refuses attributes from a source below the client's floor. An agent is told the sources, so this is one that
// does not listen.
func (p *Provider) acceptable(ctx context.Context, client string, r agent.ResultRequest) error {
	if r.CardInfo == nil {
		return nil
	}
	c, err := p.Client(ctx, client)
	if err != nil {
		return err
	}
	if !clients.AcceptsSource(c, string(claims.CardInfo)) {
		return fail.StatementMismatch
	}
	return nil
}
