package ask

import (
	"slices"
	"time"

	"tegata/claims"
)

// All lists every claim that the request names, for the question whether its client may ask.
func (r Request) All() []Claim { return append(r.IDToken.all(), r.UserInfo.all()...) }

// InIDToken lists those that the request wants in the ID token.
func (r Request) InIDToken() []Claim { return r.IDToken.all() }

func (t Target) all() []Claim {
	all := slices.Clone(t.Claims)
	for _, v := range t.Verified {
		all = append(all, v.Claims...)
	}
	return all
}

// Items are what the request asks about the person and could hear where verifications are made under these trust
// frameworks, in the order of the catalogue. For what nobody could ever hear no card is read.
func (r Request) Items(frameworks []string) []claims.Item {
	var asked []claims.Item
	add := func(list []Claim) {
		for _, c := range list {
			asked = append(asked, c.Claim.Item())
		}
	}
	for _, t := range []Target{r.IDToken, r.UserInfo} {
		add(t.Claims)
		for _, v := range t.Verified {
			if v.Verification.possible(frameworks) {
				add(v.Claims)
			}
		}
	}
	return slices.DeleteFunc(claims.Catalogue(), func(i claims.Item) bool { return !slices.Contains(asked, i) })
}

// Essential are the items of which the relying party says that it needs them, in the order of the catalogue.
func (r Request) Essential() []claims.Item {
	var needed []claims.Item
	for _, c := range r.All() {
		if c.Essential {
			needed = append(needed, c.Claim.Item())
		}
	}
	return slices.DeleteFunc(claims.Catalogue(), func(i claims.Item) bool { return !slices.Contains(needed, i) })
}

// TooOld says whether claims that could be heard under these trust frameworks would not be, because they were verified so
// long ago.
func (r Request) TooOld(frameworks []string, done, now time.Time) bool {
	for _, t := range []Target{r.IDToken, r.UserInfo} {
		for _, v := range t.Verified {
			if len(v.Claims) > 0 && v.Verification.possible(frameworks) && !v.Verification.Time.young(done, now) {
				return true
			}
		}
	}
	return false
}

// Wants says what may be answered to the request and to items that were asked by scope, given what was done to verify
// them. locales are the relying party's claims_locales: with several of them names and addresses also come with the tags
// of those that they are written in (OIDC Core 5.2).
func (r Request) Wants(scopes []claims.Item, locales []string, done Done, now time.Time) claims.Wants {
	w := claims.Wants{
		Scopes:   scopes,
		IDToken:  r.IDToken.part(locales, done, now),
		UserInfo: r.UserInfo.part(locales, done, now),
	}
	for _, i := range scopes {
		c, _ := claims.ParseClaim(string(i))
		w.UserInfo.Claims = append(w.UserInfo.Claims, tagged(claims.Want{Claim: c}, locales)...)
	}
	return w
}

func (t Target) part(locales []string, done Done, now time.Time) claims.Part {
	p := claims.Part{Claims: wanted(t.Claims, locales)}
	for _, v := range t.Verified {
		if said, ok := v.Verification.Match(done, now); ok {
			p.Verified = append(p.Verified, claims.VerifiedWant{Verification: said, Claims: wanted(v.Claims, locales)})
		}
	}
	return p
}

func wanted(list []Claim, locales []string) []claims.Want {
	var out []claims.Want
	for _, c := range list {
		want := claims.Want{Claim: c.Claim, OneOf: c.OneOf}
		out = append(append(out, want), tagged(want, locales)...)
	}
	return out
}

// tagged is a want in each of several locales. A single one is answered without a tag.
func tagged(w claims.Want, locales []string) []claims.Want {
	var out []claims.Want
	if len(locales) < 2 {
		return nil
	}
	for _, l := range locales {
		if c, ok := w.Claim.In(l); ok {
			out = append(out, claims.Want{Claim: c, OneOf: w.OneOf})
		}
	}
	return out
}

// Verifies says whether the request could hear verified claims where verifications are made under these trust frameworks.
func (r Request) Verifies(frameworks []string) bool {
	for _, t := range []Target{r.IDToken, r.UserInfo} {
		for _, v := range t.Verified {
			if len(v.Claims) > 0 && v.Verification.possible(frameworks) {
				return true
			}
		}
	}
	return false
}

func (v Verification) possible(frameworks []string) bool {
	return !v.Unmeetable && slices.ContainsFunc(frameworks, v.TrustFramework.takes)
}
