package idp

import (
	"slices"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// A client with transient subjects must not be able to tell that two logins are of one person. So nothing is remembered
// between the two: the person is asked every time, and whatever the browser's session knows stays unseen.

// unanswerable is what such a client cannot be answered, whoever sits in front of the browser: an answer that depended on
// the person or on the session would be a sign to recognise her by. nil when the request can go on.
func unanswerable(c storage.Client, r storage.AuthRequest) *fail.Error {
	switch {
	case !clients.Transient(c):
		return nil
	case r.Subject != "" || r.Subjects != nil: // id_token_hint, or sub among the claims: the person of that token is nobody any more
		return fail.LoginRequired
	case slices.Contains(r.Prompt, "none"):
		return fail.ConsentRequired
	}
	return nil
}

// betrays says that an answer from the session would carry something that the answer before carried too: the time at
// which the card was used, or the day of a verification.
func betrays(c storage.Client, r storage.AuthRequest) bool {
	timed := r.MaxAge != nil || r.TellAuthTime || slices.Contains(r.Items, claims.WordVerified)
	return clients.Transient(c) && timed
}

// usable is what may be used of what is remembered between a person and a client.
func usable(c storage.Client, link storage.Link) storage.Link {
	if clients.Transient(c) {
		return storage.Link{Told: link.Told} // asking again under a new name is asking again
	}
	return link
}

// subjectOf is who the person is at a client: the one that is remembered, a first one, or for this one time.
func (p *Provider) subjectOf(c storage.Client, link storage.Link, account string) (string, error) {
	switch {
	case clients.Transient(c):
		once, err := authn.NewSecret(p.Rand)
		return once.Reveal(), err
	case link.Subject != "":
		return link.Subject, nil
	}
	return p.subject(c.Sector, account), nil
}
