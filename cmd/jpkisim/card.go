package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
)

// cardCommand plays a persona's card into a virtual reader. With the --dir of a jpkisim that serves, it is the card whose
// certificates that one answers for.
type cardCommand struct {
	VPCD    string `name:"vpcd" required:"" placeholder:"HOST:PORT" help:"Virtual reader: vpcd listens on 127.0.0.1:35963 and 35964 as Debian installs it."`
	Persona string `required:"" placeholder:"NAME" help:"Whose card."`
	folders

	PullAfter      int           `default:"-1" placeholder:"N" help:"Pull the card out during the command after this many."`
	Slow           time.Duration `placeholder:"DURATION" help:"Wait this long before each answer."`
	Mute           bool          `help:"Answer no command."`
	T0             bool          `name:"t0" help:"Speak the older protocol T=0, with 61xx and 6Cxx."`
	WrongSignature bool          `help:"Sign with other keys than the certificates'."`
	Swap           string        `placeholder:"NAME" help:"Put this persona's card in after --pull-after."`
}

// folders are where cards come from.
type folders struct {
	Dir      string `type:"path" placeholder:"DIR" help:"Keep keys and certificates here; nothing is kept if left out."`
	Personas string `type:"path" placeholder:"DIR" help:"More personas, or others under the same names."`
}

var errSwap = errors.New("--swap needs --pull-after")

// Run stays until it is interrupted, the card is pulled out or the reader goes away.
func (c *cardCommand) Run(ctx context.Context, t terminal) error {
	if c.Swap != "" && c.PullAfter < 0 {
		return usageError{errSwap}
	}
	people, err := c.people(t.Err)
	if err != nil {
		return usageError{err}
	}
	authority, err := jpkitest.New(jpkitest.Options{Dir: c.Dir, Personas: people})
	if err != nil {
		return usageError{err}
	}
	inserted, err := c.issue(authority, people, c.Persona)
	if err != nil {
		return usageError{err}
	}
	faults := cardtest.Faults{PullAt: c.PullAfter + 1, Slow: c.Slow, Mute: c.Mute, T0: c.T0}
	if c.Swap != "" {
		if faults.Swap, err = c.issue(authority, people, c.Swap); err != nil {
			return usageError{err}
		}
	}
	fmt.Fprintf(t.Out, "jpkisim: the card of %s goes into %s\n", c.Persona, c.VPCD)
	err = cardtest.PlugVPCD(ctx, c.VPCD, inserted, faults)
	if errors.Is(err, cardtest.ErrPulledOut) {
		fmt.Fprintln(t.Out, "jpkisim: the card was pulled out")
		return nil
	}
	return err
}

// issue makes a persona's card. The PINs are the persona's; the counters start anew each time.
func (c *cardCommand) issue(authority *jpkitest.Authority, people []cardtest.Persona, name string) (*cardtest.Card, error) {
	i := slices.IndexFunc(people, func(p cardtest.Persona) bool { return p.ID == name })
	if i < 0 {
		return nil, fmt.Errorf("no persona %q", name)
	}
	material, err := authority.Equip(people[i])
	if err == nil && c.WrongSignature {
		material, err = material.Forged()
	}
	if err != nil {
		return nil, err
	}
	return cardtest.New(people[i], material), nil
}
