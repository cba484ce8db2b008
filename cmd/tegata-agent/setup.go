package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"tegata/cmd/tegata-agent/doctor"
	"tegata/cmd/tegata-agent/scheme"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

type installCommand struct{}

// Run registers the program where it lies now, so it should lie where it stays.
func (installCommand) Run(ctx context.Context, m machine) error {
	program, err := m.Executable()
	if err != nil {
		return err
	}
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	where, err := scheme.Install(ctx, program, Version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.Out, "%s: links now start %s (%s)\n", scheme.Scheme, program, where)
	return err
}

type bundleCommand struct {
	Dir     string `arg:"" type:"path"`
	Program string `arg:"" type:"path"`
}

// Run writes everything but the applet, which takes a Mac.
func (b bundleCommand) Run(m machine) error {
	root, err := scheme.WriteBundle(b.Dir, b.Program, Version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(m.Out, root)
	return err
}

type uninstallCommand struct{}

// Run leaves the list of providers alone.
func (uninstallCommand) Run(ctx context.Context, m machine) error {
	if err := scheme.Uninstall(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(m.Out, "%s: links start this program no more\n", scheme.Scheme)
	return err
}

type providerCommands struct {
	Add    providerAdd    `cmd:"" help:"Trust a provider."`
	List   providerList   `cmd:"" help:"List the providers."`
	Remove providerRemove `cmd:"" help:"Trust a provider no more."`
}

type providerAdd struct {
	Name   string `arg:"" help:"Your word for it."`
	Origin string `arg:"" help:"Its issuer: https://host, exactly as its site tells you."`
	Pin    string `placeholder:"BASE64" help:"SHA-256 of the public key of its TLS certificate; every other key is refused."`
}

// Run adds it; whoever can start programs as you could edit the file as well.
func (a providerAdd) Run() error {
	list, err := trust.Default()
	if err != nil {
		return err
	}
	if err := list.Add(trust.Provider{Name: a.Name, Origin: a.Origin, Pin: a.Pin}); err != nil {
		return usageError{err}
	}
	return nil
}

type providerList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints name, origin and pin.
func (l providerList) Run(m machine) error {
	list, err := trust.Default()
	if err != nil {
		return err
	}
	all, err := list.Load()
	if err != nil {
		return usageError{err}
	}
	if l.JSON {
		return json.NewEncoder(m.Out).Encode(append([]trust.Provider{}, all...))
	}
	for _, p := range all {
		fmt.Fprintln(m.Out, strings.TrimSpace(p.Name+"\t"+p.Origin+"\t"+p.Pin))
	}
	return nil
}

type providerRemove struct {
	Name string `arg:""`
}

// Run removes it.
func (r providerRemove) Run() error {
	list, err := trust.Default()
	if err != nil {
		return err
	}
	return list.Remove(r.Name)
}

type cardCommands struct {
	Status cardStatus `cmd:"" help:"Readers, cards, certificates and tries left. Spends nothing."`
}

type cardStatus struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run looks once.
func (s cardStatus) Run(ctx context.Context, m machine, c *commands) error {
	found, err := status.Look(ctx, m.Stack, c.Reader, m.Now())
	if err != nil {
		return err
	}
	if s.JSON {
		return json.NewEncoder(m.Out).Encode(map[string]any{"readers": found})
	}
	for _, r := range found {
		fmt.Fprint(m.Out, describe(r))
	}
	return nil
}

func describe(r status.Reader) string {
	out := fmt.Sprintf("%s\n  card                   %s\n", r.Name, r.Card)
	row := func(name, value string) {
		if value != "" {
			out += fmt.Sprintf("  %-22s %s\n", name, value)
		}
	}
	row("error", r.Code)
	if c := r.AuthCertificate; c != nil {
		row("login certificate", fmt.Sprintf("%s, %s to %s", c.State, c.NotBefore.Format("2006-01-02"), c.NotAfter.Format("2006-01-02")))
	}
	row("signature certificate", r.SignCertificate)
	if t := r.Tries; t != nil {
		row("login PIN", triesText(t.AuthPIN))
		row("signature password", triesText(t.SignPassword))
		row("card-info PIN", triesText(t.CardInfoPIN))
		row("verification number B", triesText(t.NumberB))
	}
	return out
}

func triesText(n *int) string {
	switch {
	case n == nil:
		return "the card does not tell"
	case *n == 0:
		return "locked"
	case *n == 1:
		return "1 try left"
	}
	return fmt.Sprintf("%d tries left", *n)
}

type doctorCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run prints what is wrong and how to mend it; it ends with 1 if there is anything.
func (d doctorCommand) Run(ctx context.Context, m machine, c *commands) error {
	list, err := trust.Default()
	if err != nil {
		return err
	}
	program, err := m.Executable()
	if err != nil {
		return err
	}
	around := c.around(m)
	around.Terminal, around.TTY = false, "" // a browser has none to give
	facts := doctor.Prober{
		Stack: m.Stack, Reader: c.Reader, List: list, Around: around, Program: program, Version: Version, Env: around.Env, Now: m.Now,
	}.Probe(ctx)
	findings, err := doctor.Examine(facts, c.lang())
	if err != nil {
		return err
	}
	if err := d.print(m, findings); err != nil || doctor.Healthy(findings) {
		return err
	}
	return told{errUnwell}
}

func (d doctorCommand) print(m machine, findings []doctor.Finding) error {
	if d.JSON {
		return json.NewEncoder(m.Out).Encode(map[string]any{"findings": findings})
	}
	for _, f := range findings {
		mark := "problem"
		if f.Note {
			mark = "note"
		}
		fmt.Fprintf(m.Out, "%-8s %s\n", mark, strings.TrimSpace(f.Code+"  "+f.Detail))
		fmt.Fprintf(m.Out, "         %s\n         -> %s\n", f.What, f.Fix)
	}
	if len(findings) == 0 {
		fmt.Fprintln(m.Out, "ok")
	}
	return nil
}
