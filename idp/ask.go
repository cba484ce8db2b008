package idp

import (
	"slices"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/claims"
	"tegata/claims/ask"
	"tegata/storage"
)

// Trust frameworks are addresses under the issuer: what each of them stands for is this provider's own word, documented
// in web/docs. No law's framework is claimed, because reading a card is not yet what such a law demands (R17).
const (
	frameworkPath      = "/trust_framework/"
	frameworkJPKI      = "jpki"
	frameworkCardInfo  = "jp_card_info_ap"
	frameworkUnchecked = "_unchecked" // behind the others, where nobody asked whether the certificate was revoked
)

// assuranceLevel of facts that a card gave and whose revocation was checked. It says how well it is known whose facts they
// are; acr says how well it is known who is there now (R15).
const assuranceLevel = "ial2"

// framework names what was done to verify attributes of a source in a login of this worth.
func (p *Provider) framework(source claims.Source, acr string) string {
	name := frameworkJPKI
	if source == claims.CardInfo {
		name = frameworkCardInfo
	}
	if acr != authn.ACR {
		name += frameworkUnchecked
	}
	return p.Issuer + frameworkPath + name
}

// Frameworks are the trust frameworks under which this provider can verify claims, best first.
func (p *Provider) Frameworks() []string {
	var all []string
	for _, s := range p.Sources {
		if s != source.Unverified { // nobody verifies anything there
			all = append(all, p.framework(claims.Source(s), p.Judge.ACR()))
		}
	}
	return all
}

// understand works out what the claims parameter means for this provider. A login that could never be worth what it
// demands is refused before anybody takes out a card.
func (p *Provider) understand(r storage.AuthRequest) (storage.AuthRequest, error) {
	if len(r.Claims) == 0 {
		return r, nil
	}
	asked, err := ask.Parse(string(r.Claims))
	if err != nil {
		return r, fail.Internal.Because(err) // whoever made r has parsed it
	}
	r.Items = nil // all that it names; here is what it can hear
	frameworks := p.Frameworks()
	for _, i := range asked.Items(frameworks) {
		r.Items = append(r.Items, string(i))
	}
	if asked.Verifies(frameworks) {
		r.Items = append(r.Items, claims.WordVerified)
	}
	r.ACR, r.TellAuthTime = asked.IDToken.ACR, r.TellAuthTime || asked.IDToken.AuthTime
	for _, subjects := range [][]string{asked.IDToken.Subjects, asked.UserInfo.Subjects} {
		r.Subjects = narrowed(r.Subjects, subjects)
	}
	if _, met := worth(p.Judge.ACR(), r); !met {
		return r, fail.ACRNotMet
	}
	return r, nil
}

// narrowed is who is in both lists; nil is everybody.
func narrowed(a, b []string) []string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	both := []string{}
	for _, one := range a {
		if slices.Contains(b, one) {
			both = append(both, one)
		}
	}
	return both
}

// worth is the acr that the relying party hears of a login: its own, or, where it demands others, the best of those that
// the login is worth too (OIDC Core 5.5.1.1: one of the requested values).
func worth(acr string, r storage.AuthRequest) (told string, met bool) {
	if r.ACR == nil {
		return acr, true
	}
	for _, level := range []string{authn.ACR, authn.UncheckedACR} { // best first; the names sort by worth
		if level <= acr && slices.Contains(r.ACR, level) {
			return level, true
		}
	}
	return acr, false
}

// wants says what the relying party of l may hear, and where.
func (p *Provider) wants(l storage.Login, person claims.Person) (claims.Wants, error) {
	scopes := claims.Items(l.Request.Scopes)
	if len(l.Request.Claims) == 0 && len(l.Request.ClaimsLocales) < 2 {
		return claims.Wants{Scopes: scopes}, nil
	}
	asked, err := parsed(l.Request.Claims)
	if err != nil {
		return claims.Wants{}, err
	}
	return asked.Wants(scopes, l.Request.ClaimsLocales, p.done(l, person), p.Now()), nil
}

func parsed(text []byte) (ask.Request, error) {
	if len(text) == 0 {
		return ask.Request{}, nil
	}
	r, err := ask.Parse(string(text))
	if err != nil {
		return r, fail.Internal.Because(err)
	}
	return r, nil
}

// tooOld says whether the card has to be read again, because what a session knows was verified too long ago for the request,
// or not at all.
// Who wants no page hears what can be said without one.
func (p *Provider) tooOld(r storage.AuthRequest, s storage.Session) (bool, error) {
	if !slices.Contains(r.Items, claims.WordVerified) || slices.Contains(r.Prompt, "none") {
		return false, nil
	}
	asked, err := parsed(r.Claims)
	if err != nil || len(s.Facts) == 0 {
		return false, err
	}
	person, err := claims.DecodePerson(s.Facts)
	if err != nil {
		return false, fail.Internal.Because(err)
	}
	return !person.Verified() || asked.TooOld(p.Frameworks(), readAt(person, s.AuthTime), p.Now()), nil
}

// essential are the items of which the relying party of l says that it needs them.
func essential(l storage.Login) ([]claims.Item, error) {
	asked, err := parsed(l.Request.Claims)
	return asked.Essential(), err
}

// readAt is when a card gave the facts: at the login, where nothing else is known.
func readAt(person claims.Person, login time.Time) time.Time {
	if at := person.ReadAt(); !at.IsZero() {
		return at
	}
	return login
}

// done is how the facts of l were verified: when the card gave them, which for a session or a memory is a while ago.
func (p *Provider) done(l storage.Login, person claims.Person) ask.Done {
	if !person.Verified() {
		return ask.Done{}
	}
	level := assuranceLevel
	if l.ACR != authn.ACR {
		level = ""
	}
	at := readAt(person, l.AuthTime)
	day := at.UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
	return ask.Done{All: claims.CardVerification(p.framework(person.Source(), l.ACR), level, day, person.Source()), Time: at}
}
