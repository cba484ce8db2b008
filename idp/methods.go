package idp

import (
	"context"
	"slices"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/storage"
)

// MethodReader is the login with a card reader and the agent.
const MethodReader = "reader"

// Methods are what an operator can switch off in an emergency: ways to log in, sources of attributes, and number B as what
// opens one of them.
var Methods = []string{MethodReader, statement.SignatureCertificate, statement.CardInfo, statement.NumberB}

// allowed refuses what is switched off. It is asked at the beginning of a login and again when its evidence arrives, so
// that a switch also stops what is under way.
func (p *Provider) allowed(methods ...string) error {
	if p.Disabled != nil && slices.ContainsFunc(methods, p.Disabled) {
		return fail.MethodDisabled
	}
	return nil
}

// servable refuses a login that nobody could finish at present, before the person takes out the card.
func (p *Provider) servable(ctx context.Context, l storage.Login) error {
	if len(authn.Operations(l.Request)) > 1 && len(p.Sources) > 0 {
		c, err := p.Client(ctx, l.ClientID)
		if err != nil {
			return err
		}
		if len(p.sourcesFor(c, l.Request)) == 0 {
			return fail.MethodDisabled
		}
	}
	return p.allowed(MethodReader)
}

// methodsOf are what a result uses.
func methodsOf(r agent.ResultRequest) []string {
	used := []string{MethodReader}
	if r.Attributes != "" {
		used = append(used, statement.SignatureCertificate)
	}
	if r.CardInfo != nil {
		used = append(used, statement.CardInfo)
		if r.CardInfo.Opened != "" {
			used = append(used, r.CardInfo.Opened)
		}
	}
	return used
}

// sources are the attribute sources that agents may use at present, best first.
func (p *Provider) sources() []string {
	return slices.DeleteFunc(slices.Clone(p.Sources), func(s string) bool { return p.allowed(source.ForAgent([]string{s})...) != nil })
}

// ClientOf is the relying party of a login that this replica has seen, for the audit; "" if it has not.
func (p *Provider) ClientOf(login string) string {
	e, _ := p.logins.get(login)
	return e.login.ClientID
}
