package headless

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/cmd/sandbox/cards"
)

// agent is the program behind the launch link: it takes the ticket from the link and nothing else, then brings the
// browser back over its loopback address.
func (w *walker) agent(ctx context.Context, p page) (page, string, error) {
	ticket, err := agent.ParseTicket(p.launch[strings.LastIndexAny(p.launch, "/:")+1:])
	if err != nil {
		return page{}, "", err
	}
	back, err := agent.Listen(w.issuer)
	if err != nil {
		return page{}, "", err
	}
	defer back.Fail()
	code, err := w.useCard(ctx, ticket, back)
	if err != nil {
		return page{}, "", err
	}
	if err := back.Complete(code); err != nil {
		return page{}, "", err
	}
	waiting, away, err := w.get(ctx, p.url) // the waiting page now sends the browser to the agent
	if err != nil || away == "" {
		return waiting, away, err
	}
	loopback, err := url.Parse(away)
	if err != nil || away != back.Address() {
		return page{}, away, err // the relying party, for a login that ended otherwise
	}
	return w.get(ctx, loopback)
}

func (w *walker) useCard(ctx context.Context, ticket agent.Ticket, back *agent.Return) (string, error) {
	now, err := w.clock(ctx)
	if err != nil {
		return "", err
	}
	client := &agent.Client{Issuer: w.issuer, HTTP: &http.Client{Transport: w.Transport}, Now: now, Rand: rand.Reader, Version: cards.Version}
	session, err := client.Claim(ctx, ticket, back.Address())
	if err != nil {
		return "", err
	}
	transport, err := cards.Dial(ctx, &http.Client{Transport: w.Transport, Timeout: 10 * time.Second}, w.Cards, w.Persona)
	if err != nil {
		return "", err
	}
	c, err := card.Open(ctx, transport)
	if err != nil {
		return "", errors.Join(err, transport.Close())
	}
	defer func() { _ = c.Close() }() // a reset that fails leaves the virtual card to its time limit
	code, err := w.enter(ctx, session, c)
	if session.GoesOn(err) { // four digits do where the signature certificate has ended
		code, err = w.enter(ctx, session, c)
	}
	var refused *fail.Error
	if errors.As(err, &refused) && refused.OAuth == "" {
		_ = session.Progress(ctx, progress(refused), refused.Tries) // only the page would show it
	}
	return code, err
}

// enter presents what the card wants at present.
func (w *walker) enter(ctx context.Context, session *agent.Session, c *card.Card) (string, error) {
	pin, err := card.NormalizeDigits(w.PIN)
	if err != nil {
		return "", err
	}
	secrets := agent.Secrets{PIN: pin, CardInfoPIN: append([]byte(nil), pin...)}
	if w.NumberB != "" {
		if secrets.NumberB, err = card.NormalizeDigits(w.NumberB); err != nil {
			return "", err
		}
	}
	asks, err := session.NeedsPassword(ctx, c)
	if err != nil {
		return "", err
	}
	if asks {
		if secrets.Password, err = card.NormalizePassword(w.Password); err != nil {
			return "", err
		}
	}
	return session.Perform(ctx, c, secrets)
}

// progress is the code for the waiting page after a refusal by the card.
func progress(e *fail.Error) string {
	switch {
	case errors.Is(e, fail.PINLocked):
		return "pin_locked"
	case errors.Is(e, fail.PINWrong):
		return "pin_wrong"
	}
	return "pin_needed"
}

// clock gives the agent the sandbox's time, which --now may have moved far from this machine's.
func (w *walker) clock(ctx context.Context) (func() time.Time, error) {
	there, err := cards.Clock(ctx, &http.Client{Transport: w.Transport, Timeout: 10 * time.Second}, w.Cards)
	if err != nil {
		return nil, fail.ReaderNone.Because(err)
	}
	ahead := time.Until(there)
	return func() time.Time { return time.Now().Add(ahead) }, nil
}
