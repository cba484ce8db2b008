package login

import (
	"cmp"
	"context"
	"errors"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/authn/statement"
)

// attempt is a claimed login at work.
type attempt struct {
	Login
	session *agent.Session
	page    *reporter
}

// work finds a card and uses it; when the card is taken away before anything was decided, it waits for it again.
func (a *attempt) work(ctx context.Context) (string, error) {
	for {
		c, err := a.find(ctx)
		if err != nil {
			return "", err
		}
		code, err := a.use(ctx, c)
		closed := c.Close()
		if errors.Is(err, fail.CardRemoved) && ctx.Err() == nil {
			a.page.tell("no_card", fail.NoTries)
			continue
		}
		if err == nil && closed != nil {
			a.say("reader_stuck") // the result is out; the card is reset when its reader answers again
		}
		return code, err
	}
}

// find waits for the card, and asks which when there are several: a choice between two people is never guessed.
func (a *attempt) find(ctx context.Context) (Card, error) {
	look := pcsc.Options{Reader: a.Reader, Wait: cmp.Or(a.Wait, time.Minute), Waiting: func(missing error) {
		a.page.tell(waitingFor(missing), fail.NoTries)
	}}
	c, err := a.Find(ctx, look)
	var several *pcsc.Choice
	if !errors.Is(err, fail.ReaderChoice) || !errors.As(err, &several) {
		return c, err
	}
	options := make([]prompt.Choice, len(several.Readers))
	for i, name := range several.Readers {
		options[i].Name = name
	}
	i, err := a.Prompt.Choose(ctx, prompt.ChooseReader, options)
	if err != nil {
		return nil, err
	}
	look.Reader = several.Readers[i]
	return a.Find(ctx, look)
}

// waitingFor is the progress code for what Find misses.
func waitingFor(missing error) string {
	switch {
	case errors.Is(missing, fail.ReaderNone), errors.Is(missing, fail.PCSCUnavailable):
		return "no_reader"
	case errors.Is(missing, fail.CardUnsupported), errors.Is(missing, fail.CardOldJuki), errors.Is(missing, fail.CardDataBroken):
		return "wrong_card"
	}
	return "no_card"
}

// use asks for the PINs and performs, again for as long as the card says that a PIN was wrong and tries are left. All
// PINs of an attempt are collected first, so that none lies verified on the card while a person is thinking.
func (a *attempt) use(ctx context.Context, c Card) (string, error) {
	a.page.tell("reading", fail.NoTries)
	source, err := a.session.Source(ctx, c)
	if err != nil {
		return "", err
	}
	h := &hand{Card: c, wrong: map[card.PIN]*fail.Error{}, unknown: map[card.PIN]bool{}}
	for {
		secrets, err := a.ask(ctx, h, source)
		if err != nil {
			return "", a.tellEnd(err)
		}
		a.page.tell("signing", fail.NoTries)
		code, err := a.session.Perform(ctx, h, secrets) // wipes the secrets
		switch {
		case errors.Is(err, fail.PINWrong):
			h.wrong[h.last] = fail.From(err)
		case errors.Is(err, fail.PINLocked) && a.otherWay(ctx, h, h.last):
			continue // which is found to be locked when it comes to asking
		case a.session.GoesOn(err):
			h.wrong[card.AuthPIN] = fail.From(err) // said where the next entry is asked for
			if source, err = a.session.Source(ctx, c); err != nil {
				return "", err
			}
		default:
			return code, a.tellEnd(err)
		}
	}
}

// tellEnd lets the page know of a lock, which is the person's to hear first.
func (a *attempt) tellEnd(err error) error {
	if errors.Is(err, fail.PINLocked) {
		a.page.tell("pin_locked", 0)
	}
	return err
}

// ask collects what Perform will need. It ends when the card is taken away.
func (a *attempt) ask(ctx context.Context, h *hand, source string) (agent.Secrets, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-h.Lost():
			cancel(fail.CardRemoved)
		case <-ctx.Done():
		}
	}()
	var s agent.Secrets
	err := a.collect(ctx, h, source, &s)
	if err == nil {
		return s, nil
	}
	for _, secret := range [][]byte{s.PIN, s.Password, s.CardInfoPIN, s.NumberB} {
		clear(secret)
	}
	if errors.Is(context.Cause(ctx), fail.CardRemoved) {
		return agent.Secrets{}, fail.CardRemoved
	}
	return agent.Secrets{}, err
}

// collect asks for what a source needs, in the order of asking.
func (a *attempt) collect(ctx context.Context, h *hand, source string, s *agent.Secrets) error {
	var err error
	if s.PIN, err = a.one(ctx, h, source, card.AuthPIN); err != nil {
		return err
	}
	switch source {
	case statement.SignatureCertificate:
		s.Password, err = a.one(ctx, h, source, card.SignPassword)
	case statement.CardInfo:
		err = a.opening(ctx, h, s)
	}
	return err
}

// one asks for one PIN, with the tries that the card tells now.
func (a *attempt) one(ctx context.Context, h *hand, source string, p card.PIN) ([]byte, error) {
	tries, err := h.Tries(ctx, p)
	if err != nil {
		return nil, err
	}
	before := h.wrong[p]
	delete(h.wrong, p)
	a.page.tell(pinProgress(p, tries, before), tries)
	question := prompt.Ask{About: a.about(source), PIN: p, Tries: tries, Before: before, OtherWay: a.otherWay(ctx, h, p)}
	if p == card.SignPassword {
		question.Declaration = a.session.Context().Declaration
	}
	if p == card.NumberB || !h.HasPad(ctx, p) { // its three parts are explained one by one
		return a.Prompt.PIN(ctx, question)
	}
	return h.onPad(p), a.Prompt.Confirm(ctx, question)
}

func pinProgress(p card.PIN, tries int, before *fail.Error) string {
	switch {
	case p == card.NumberB && tries != 0 && tries != 1:
		return "number_needed"
	case tries == 0:
		return "pin_locked"
	case tries == 1:
		return "pin_last_try"
	case before != nil && errors.Is(before, fail.PINWrong):
		return "pin_wrong"
	}
	return "pin_needed"
}

// about is what every window of this login shows.
func (a *attempt) about(source string) prompt.About {
	c := a.session.Context()
	about := prompt.About{
		Service: c.Client.Name, Host: c.Client.Host, Provider: a.Provider.Host(), Purpose: c.Client.Purpose, Number: c.Number,
		Items: c.Items, Reads: []string{prompt.ReadsLogin},
	}
	if a.Lang == prompt.Japanese {
		about.Service = cmp.Or(c.Client.NameJa, about.Service)
		about.Purpose = cmp.Or(c.Client.PurposeJa, about.Purpose)
	}
	switch source {
	case "":
		if len(c.Items) > 0 {
			about.Reads = append(about.Reads, prompt.Remembered)
		}
	case statement.SignatureCertificate:
		about.Reads = append(about.Reads, prompt.ReadsSignature)
	case statement.CardInfo:
		about.Reads = append(about.Reads, prompt.ReadsCardInfo)
	}
	return about
}
