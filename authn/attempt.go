package authn

import (
	"fmt"
	"io"
	"math/big"
	"time"

	cryptorand "crypto/rand"

	"tegata/authn/fail"
	"tegata/storage"
)

// Lives of the things of one login (design/flows.md A).
const (
	LoginLife      = 10 * time.Minute
	TicketLife     = 120 * time.Second
	CompletionLife = 60 * time.Second
	maxTickets     = 20 // tickets of one login: more is a script, not a person
)

// Begin makes the record of a validated authorization request for the browser that sent it.
func Begin(clientID string, req storage.AuthRequest, browser Secret, now time.Time, rand io.Reader) (storage.Login, error) {
	id, err := newID(rand)
	if err != nil {
		return storage.Login{}, err
	}
	return storage.Login{
		ID: id, Version: 1, State: storage.Created, ClientID: clientID, Request: req, BrowserHash: browser.Hash(),
		CreatedAt: now, ExpiresAt: now.Add(LoginLife), Tries: fail.NoTries,
	}, nil
}

// Check says whether this browser may look at or move l now.
func Check(l storage.Login, browser Secret, now time.Time) error {
	if !browser.Is(l.BrowserHash) {
		return fail.DifferentBrowser
	}
	late := !now.Before(l.ExpiresAt) || l.State == storage.Verified && !now.Before(l.CompletionExpires)
	if late && !l.State.Terminal() {
		return fail.LoginExpired
	}
	return nil
}

// Start gives the login a fresh ticket. It also restarts: an agent that held an older ticket is out.
func Start(l storage.Login, browser Secret, now time.Time, rand io.Reader) (storage.Login, error) {
	if err := Check(l, browser, now); err != nil {
		return l, err
	}
	switch l.State {
	case storage.Created, storage.Waiting, storage.Claimed:
	default:
		return l, fail.AlreadyUsed
	}
	if l.TicketSerial >= maxTickets {
		return l, fail.RateLimited
	}
	number, err := twoDigits(rand)
	if err != nil {
		return l, err
	}
	l.TicketSerial++
	l.TicketHash = browser.derive(l.ID, l.TicketSerial).Hash()
	l.TicketExpires = now.Add(TicketLife)
	l.Number = number
	l.AgentKey, l.AgentVersion, l.ReturnTo, l.Nonce = nil, "", "", nil
	l.Progress, l.Tries = "waiting_agent", fail.NoTries
	return next(l, storage.Waiting), nil
}

// Ticket is the text of the ticket that is out, for the launch link; only the browser of the login can compute it.
func Ticket(l storage.Login, browser Secret) string {
	return l.ID + "." + browser.derive(l.ID, l.TicketSerial).Reveal()
}

// Claim hands the login to the agent that holds the ticket. The first claim wins.
func Claim(l storage.Login, ticket Secret, agentKey []byte, version, returnTo string, now time.Time, rand io.Reader) (storage.Login, error) {
	if !ticket.Is(l.TicketHash) {
		return l, fail.LoginUnknown
	}
	if l.State != storage.Waiting {
		return l, fail.TicketClaimed
	}
	if !now.Before(l.TicketExpires) || !now.Before(l.ExpiresAt) {
		return l, fail.LoginExpired
	}
	nonce, err := NewSecret(rand)
	if err != nil {
		return l, err
	}
	l.AgentKey, l.AgentVersion, l.ReturnTo, l.Nonce = agentKey, version, returnTo, nonce[:]
	l.Progress = "reading"
	return next(l, storage.Claimed), nil
}

// Held says whether l is claimed and still in time, for every later call of the agent. That the caller is the
// agent of this login is proved by its key before.
func Held(l storage.Login, now time.Time) error {
	switch {
	case l.State == storage.Verified || l.State == storage.Returned || l.State == storage.Answered || l.State == storage.Failed:
		return fail.AlreadyUsed
	case l.State == storage.Cancelled:
		return fail.UserCancelled
	case l.State != storage.Claimed:
		return fail.LoginUnknown
	case !now.Before(l.ExpiresAt):
		return fail.LoginExpired
	}
	return nil
}

// Report notes what the agent is doing, for the page.
func Report(l storage.Login, code string, tries int, now time.Time) (storage.Login, error) {
	if err := Held(l, now); err != nil {
		return l, err
	}
	if !progressCodes[code] {
		return l, fail.BadInput.At("code")
	}
	l.Progress, l.Tries = code, tries
	return next(l, storage.Claimed), nil
}

// Verify writes good evidence into the login and returns the completion code's secret for the agent alone.
func Verify(l storage.Login, e Evidence, now time.Time, rand io.Reader) (storage.Login, Secret, error) {
	if err := Held(l, now); err != nil {
		return l, Secret{}, err
	}
	code, err := NewSecret(rand)
	if err != nil {
		return l, Secret{}, err
	}
	l.AuthTime, l.ACR, l.AMR, l.Facts, l.Card = now, e.ACR, e.AMR, e.Facts, e.Card
	l.SignCard = e.SignCard
	l.CompletionHash, l.CompletionExpires = code.Hash(), now.Add(CompletionLife)
	l.Progress, l.Tries = "returning", fail.NoTries
	return next(l, storage.Verified), code, nil
}

// Return brings the login back into its browser. A right code in another browser is somebody's attack or mistake:
// the returned record is then Burned and the error says why; the caller stores it.
func Return(l storage.Login, code, browser Secret, now time.Time) (storage.Login, error) {
	if !code.Is(l.CompletionHash) {
		return l, fail.LoginUnknown
	}
	if l.State != storage.Verified {
		return l, fail.AlreadyUsed
	}
	if !browser.Is(l.BrowserHash) {
		l.Failure, l.Facts, l.Card, l.SignCard = fail.DifferentBrowser.Code, nil, nil, nil
		return next(l, storage.Burned), fail.DifferentBrowser
	}
	if !now.Before(l.CompletionExpires) || !now.Before(l.ExpiresAt) {
		return l, fail.LoginExpired
	}
	l.Progress = "done"
	return next(l, storage.Returned), nil
}

// CardAgain is the Progress of a login that has to begin again with everything that the card can say.
const CardAgain = "card_again"

// Again takes a login that counted on remembered facts back to its beginning, from where it asks the card for them.
func Again(l storage.Login) storage.Login {
	return next(storage.Login{
		ID: l.ID, Version: l.Version, ClientID: l.ClientID, Request: unremembered(l.Request), BrowserHash: l.BrowserHash,
		CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt, TicketSerial: l.TicketSerial, Progress: CardAgain, Tries: fail.NoTries,
	}, storage.Created)
}

func unremembered(r storage.AuthRequest) storage.AuthRequest {
	r.Recall = ""
	return r
}

// Answer ends a login that the person agreed to.
func Answer(l storage.Login) (storage.Login, error) {
	if l.State != storage.Returned {
		return l, fail.AlreadyUsed
	}
	l.Facts, l.Card, l.SignCard = nil, nil, nil
	return next(l, storage.Answered), nil
}

// Without lets an agent that holds a login go on with another source of attributes: the card does not have these.
func Without(l storage.Login, sources []string) storage.Login {
	l.Request.Without = sources
	return next(l, l.State)
}

// Cancel ends a login because the person said no.
func Cancel(l storage.Login) (storage.Login, error) {
	if l.State.Terminal() {
		return l, fail.AlreadyUsed
	}
	l.Progress, l.Failure, l.Facts, l.Card, l.SignCard = "cancelled", fail.UserCancelled.Code, nil, nil, nil
	return next(l, storage.Cancelled), nil
}

// Fail ends a login because its evidence was refused.
func Fail(l storage.Login, code string) storage.Login {
	l.Failure, l.Facts, l.Card, l.SignCard = code, nil, nil, nil
	return next(l, storage.Failed)
}

func next(l storage.Login, s storage.LoginState) storage.Login {
	l.State = s
	l.Version++
	return l
}

// twoDigits draws the number that page and agent both show, 10 to 99.
func twoDigits(rand io.Reader) (string, error) {
	n, err := cryptorand.Int(rand, big.NewInt(90))
	if err != nil {
		return "", fmt.Errorf("authn: randomness: %w", err)
	}
	return fmt.Sprintf("%d", n.Int64()+10), nil
}

// progressCodes are the codes that an agent may report (design/flows.md); the page has a sentence for each.
var progressCodes = map[string]bool{
	"no_reader": true, "no_card": true, "wrong_card": true, "reading": true, "pin_needed": true, "pin_wrong": true, "number_needed": true,
	"pin_last_try": true, "pin_locked": true, "signing": true, "checking_certificate": true,
}
