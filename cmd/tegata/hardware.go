package main

import (
	"context"
	"crypto/rand"
	"time"

	"tegata/idp/keys"
	"tegata/idp/keys/pkcs11"
)

// hardware says in which PKCS #11 token new signing keys are made; every replica needs it.
type hardware struct {
	Module string `name:"pkcs11-module" env:"TEGATA_PKCS11_MODULE" type:"path" help:"Library of the PKCS #11 token that makes and keeps new signing keys; needs a binary built with -tags pkcs11."`
	Token  string `name:"pkcs11-token" env:"TEGATA_PKCS11_TOKEN" help:"Label of the token."`
	PIN    string `name:"pkcs11-pin" env:"TEGATA_PKCS11_PIN" help:"PIN of the token's user." hidden:""`
}

// rotationConfig says when signing keys are replaced.
type rotationConfig struct {
	RotateKeys time.Duration `name:"rotate-keys-every" env:"TEGATA_ROTATE_KEYS_EVERY" default:"2160h" help:"How long a signing key signs before the next one, which is published two hours ahead, takes over; 0 for until 'tegata keys rotate'."`
}

func (c rotationConfig) check(p *problems) {
	p.add(c.RotateKeys < 0 || c.RotateKeys > 0 && c.RotateKeys < 24*time.Hour, "TEGATA_ROTATE_KEYS_EVERY must be 0, or at least 24h")
}

// open logs in to the token; nil without one.
func (h hardware) open(p *problems) keys.Hardware {
	if h.Module == "" {
		p.add(h.Token != "" || h.PIN != "", "TEGATA_PKCS11_TOKEN and TEGATA_PKCS11_PIN need TEGATA_PKCS11_MODULE")
		return nil
	}
	p.add(h.Token == "" || h.PIN == "", "TEGATA_PKCS11_MODULE needs TEGATA_PKCS11_TOKEN and TEGATA_PKCS11_PIN (or TEGATA_PKCS11_PIN_FILE)")
	opened, err := pkcs11.Open(pkcs11.Config{Module: h.Module, Token: h.Token, PIN: h.PIN})
	if err != nil {
		p.add(true, "TEGATA_PKCS11_MODULE: "+err.Error())
		return nil
	}
	return opened
}

// ringCommand is a command that looks at the signing keys or changes them.
type ringCommand struct {
	database
	hardware
}

func (c ringCommand) withRing(ctx context.Context, f func(*keys.Ring) error) error {
	var p problems
	token := c.hardware.open(&p)
	if err := p.err(); err != nil {
		return err
	}
	store, err := c.database.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	return f(&keys.Ring{Store: store, Now: time.Now, Rand: rand.Reader, Hardware: token})
}
