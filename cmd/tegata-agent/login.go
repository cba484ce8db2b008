package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/term"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/login"
	"tegata/cmd/tegata-agent/trust"
)

// launch is the one form of a link: the scheme and a ticket, nothing else.
const launch = "tegata:{ticket}"

type loginCommand struct {
	Provider string `placeholder:"NAME" help:"The provider, where several are trusted; else you are asked."`
	Link     string `arg:"" help:"The launch link."`
}

// Run reads the link before anything else happens: what is not exactly a ticket ends here, without a word to any
// provider, reader or window.
func (l *loginCommand) Run(ctx context.Context, m machine, c *commands) error {
	template, err := agent.ParseLaunch(launch)
	if err != nil {
		return err
	}
	ticket, err := template.Ticket(l.Link)
	if err != nil {
		return err
	}
	ask, err := c.prompter(m)
	if err != nil {
		return err
	}
	err = l.with(ctx, m, c, ask, ticket)
	if err == nil {
		return nil
	}
	return tell(ctx, ask, err)
}

// tell shows how it ended where the person is looking, unless ending it was the person's own wish.
func tell(ctx context.Context, ask prompt.Prompter, err error) error {
	if errors.Is(err, fail.UserCancelled) || ctx.Err() != nil {
		return err
	}
	shown, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if ask.Tell(shown, fail.From(err)) != nil {
		return err
	}
	return told{err}
}

func (l *loginCommand) with(ctx context.Context, m machine, c *commands, ask prompt.Prompter, ticket agent.Ticket) error {
	provider, err := l.choose(ctx, ask)
	if err != nil {
		return err
	}
	client := provider.Client()
	defer client.CloseIdleConnections()
	return login.Login{
		Provider: provider, HTTP: client, Find: m.Find, Prompt: ask, Lang: c.lang(), Open: m.Open, Say: c.say(m),
		Reader: c.Reader, Version: Version, Now: m.Now, Rand: m.Rand,
	}.Run(ctx, ticket)
}

// choose finds the provider that the ticket belongs to. The link does not say, and a ticket must not be shown to the
// wrong one, so with several the person says which.
func (l *loginCommand) choose(ctx context.Context, ask prompt.Prompter) (trust.Provider, error) {
	list, err := trust.Default()
	if err != nil {
		return trust.Provider{}, err
	}
	all, err := list.Load()
	switch {
	case err != nil:
		return trust.Provider{}, usageError{err}
	case l.Provider != "":
		return trust.Find(all, l.Provider)
	case len(all) == 0:
		return trust.Provider{}, trust.ErrNone
	case len(all) == 1:
		return all[0], nil
	}
	options := make([]prompt.Choice, len(all))
	for i, p := range all {
		options[i] = prompt.Choice{Name: p.Name, Detail: p.Host()}
	}
	i, err := ask.Choose(ctx, prompt.ChooseProvider, options)
	if err != nil {
		return trust.Provider{}, err
	}
	return all[i], nil
}

// say writes progress where somebody reads it.
func (c *commands) say(m machine) func(string) {
	if !c.PINStdin && !term.IsTerminal(int(m.In.Fd())) {
		return nil
	}
	return func(code string) {
		if text := prompt.Progress(c.lang(), code); text != "" {
			fmt.Fprintln(m.Err, text)
		}
	}
}
