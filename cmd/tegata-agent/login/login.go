// Package login is one login at the agent, from the ticket to the browser's return (design: flow A, steps 5 to 16):
// claim it at the trusted provider, find the card, show who asks, ask for the PINs, let the card sign, send the browser on.
// It refuses to know links and flags, how a prompt looks, and how PC/SC works.
package login

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/trust"
)

// Card is one card, ours alone until Close; *pcsc.Session is one, see Readers.
type Card interface {
	agent.Card
	Tries(ctx context.Context, p card.PIN) (int, error)
	HasPad(ctx context.Context, p card.PIN) bool
	VerifyOnPad(ctx context.Context, p card.PIN) error
	Lost() <-chan struct{}
	Close() error
}

// Finder waits for the one card, see pcsc.Service.Find for its errors.
type Finder func(ctx context.Context, o pcsc.Options) (Card, error)

// Readers finds a card in the machine's readers.
func Readers(s pcsc.Service) Finder {
	return func(ctx context.Context, o pcsc.Options) (Card, error) {
		found, err := s.Find(ctx, o)
		if err != nil {
			return nil, err // not found, which is a nil pointer in a full interface
		}
		return found, nil
	}
}

// Login is what one login needs. Zero durations mean the usual ones.
type Login struct {
	Provider trust.Provider
	HTTP     *http.Client
	Find     Finder
	Prompt   prompt.Prompter
	Lang     prompt.Lang
	Open     func(ctx context.Context, url string) error // in the default browser
	Say      func(progress string)                       // progress codes, for a terminal
	Reader   string                                      // by its exact name; "" = wherever the card lies
	Version  string                                      // of this agent
	Wait     time.Duration                               // for a card: 60 s
	Back     time.Duration                               // for the browser, until it is opened another way: 5 s
	Now      func() time.Time
	Rand     io.Reader
}

// Run does it. An error has a code of authn/fail; the provider and the waiting page were told.
func (l Login) Run(ctx context.Context, ticket agent.Ticket) error {
	back, err := agent.Listen(l.Provider.Origin)
	if err != nil {
		return fail.Internal.Because(err)
	}
	defer back.Fail() // does nothing once the browser has its answer coming
	client := &agent.Client{Issuer: l.Provider.Origin, HTTP: inTurns(l.HTTP), Now: l.Now, Rand: l.Rand, Version: l.Version}
	session, err := client.Claim(ctx, ticket, back.Address())
	if err != nil {
		return because(ctx, err)
	}
	bounded, cancel := context.WithDeadlineCause(ctx, session.Context().Expires, fail.LoginExpired)
	defer cancel()
	a := &attempt{Login: l, session: session, page: report(session, l.Say)}
	code, err := a.work(bounded)
	if err != nil {
		err = because(bounded, err)
		a.giveUp(err)
		return err
	}
	a.page.stop()
	return l.bringBack(ctx, back, code)
}

// because names an ended context: the login's time was over, or somebody pressed Ctrl-C.
func because(ctx context.Context, err error) error {
	var coded *fail.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded) && errors.As(context.Cause(ctx), &coded):
		return coded
	case errors.Is(err, context.DeadlineExceeded):
		return fail.LoginExpired.Because(err)
	case errors.Is(err, context.Canceled):
		return fail.UserCancelled.Because(err)
	}
	return fail.From(err)
}

// giveUp tells the waiting page why it is over. It is a courtesy: a login that nobody finishes ends by itself. After the
// result went out the provider has judged already and does not listen.
func (a *attempt) giveUp(why error) {
	a.page.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = a.session.Cancel(ctx, fail.From(why).Code)
}

// bringBack waits for the waiting page, which comes by itself within a moment. If it does not, a program in between
// blocks it, and the default browser is opened; that completes the login only if it is the one where it started.
func (l Login) bringBack(ctx context.Context, back *agent.Return, code string) error {
	if err := back.Complete(code); err != nil {
		return err
	}
	l.say("returning")
	soon, cancel := context.WithTimeout(ctx, cmp.Or(l.Back, 5*time.Second))
	defer cancel()
	err := back.Wait(soon)
	if errors.Is(err, context.DeadlineExceeded) {
		if l.Open(ctx, agent.ReturnURL(l.Provider.Origin, code)) != nil {
			err = back.Wait(ctx) // no browser to open: the page may be slow
		} else {
			err = nil
		}
	}
	if err != nil {
		return because(ctx, err)
	}
	l.say("done")
	return nil
}

func (l Login) say(code string) {
	if l.Say != nil {
		l.Say(code)
	}
}
