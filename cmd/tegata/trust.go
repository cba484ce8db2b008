package main

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tegata/authn/jpki"
	"tegata/storage"
)

type trustCommands struct {
	Add    trustAdd    `cmd:"" help:"Trust a CA certificate; every replica follows within half a minute."`
	List   trustList   `cmd:"" help:"List trusted CA certificates of the database."`
	Remove trustRemove `cmd:"" help:"Trust a CA certificate no more."`
}

type trustAdd struct {
	database
	File        string `arg:"" type:"existingfile" help:"CA certificate, PEM or DER."`
	Fingerprint string `help:"SHA-256 of the certificate, typed from the authority's own publication. An official root that this program knows needs none."`
	Purpose     string `enum:"auth,sign," default:"" help:"auth or sign; an official root says it by itself."`
	Test        bool   `help:"It is a test hierarchy's: only servers with TEGATA_TEST_ANCHORS=true start with it."`
}

// Run checks the certificate against what the program or the operator knows, never against the file alone.
func (a *trustAdd) Run(ctx context.Context, t terminal) error {
	cert, err := readCertificate(a.File)
	if err != nil {
		return usageError{err}
	}
	record, err := a.judge(cert)
	if err != nil {
		return usageError{err}
	}
	store, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	if err := fits(ctx, store, record); err != nil {
		return err
	}
	if err := store.PutAnchor(ctx, record); err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "%s is trusted for %s until %s\n", hex.EncodeToString(record.Fingerprint), record.Purpose, cert.NotAfter.UTC().Format(time.RFC3339))
	return nil
}

// judge makes the record of a certificate that may be trusted.
func (a *trustAdd) judge(cert *x509.Certificate) (storage.Anchor, error) {
	sum := jpki.Fingerprint(cert)
	root, official := jpki.Known(sum)
	purpose := root.Purpose
	if !official {
		if err := a.vouched(sum); err != nil {
			return storage.Anchor{}, err
		}
		var ok bool
		if purpose, ok = map[string]jpki.Purpose{"auth": jpki.Authentication, "sign": jpki.Signature}[a.Purpose]; !ok {
			return storage.Anchor{}, errors.New("--purpose must say auth or sign: the certificate is no official root that this program knows")
		}
	}
	anchors := jpki.Anchors{Auth: []*x509.Certificate{cert}}
	checked, err := jpki.NewAnchors(anchors.Auth, nil)
	switch {
	case err != nil:
		return storage.Anchor{}, err
	case official && a.Purpose != "" && !strings.HasPrefix(root.Name, a.Purpose):
		return storage.Anchor{}, fmt.Errorf("this is %s: --purpose does not fit", root.Name)
	case checked.Test() && !a.Test:
		return storage.Anchor{}, errors.New("this is a test hierarchy's certificate: nobody's real card hangs under it. Say --test if that is meant")
	case !checked.Test() && official && a.Test:
		return storage.Anchor{}, fmt.Errorf("this is %s and no test hierarchy's", root.Name)
	case time.Now().After(cert.NotAfter):
		return storage.Anchor{}, fmt.Errorf("it expired on %s", cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return storage.Anchor{
		Fingerprint: sum[:], Purpose: purpose.String(), Certificate: cert.Raw, Name: root.Name, Test: a.Test, AddedAt: time.Now(),
	}, nil
}

// vouched demands that somebody typed the fingerprint. It does not offer the file's own: copying that proves nothing.
func (a *trustAdd) vouched(sum [32]byte) error {
	if a.Fingerprint == "" {
		return errors.New("this is no official root that this program knows: give its SHA-256 with --fingerprint, typed from the authority's own publication")
	}
	typed, ok := jpki.ParseFingerprint(a.Fingerprint)
	switch {
	case !ok:
		return errors.New("--fingerprint must be a SHA-256: 64 hexadecimal digits")
	case typed != sum:
		return errors.New("the file has another fingerprint than the one you typed: do not use this file")
	}
	return nil
}

// fits refuses what no server could start with.
func fits(ctx context.Context, store storage.Store, record storage.Anchor) error {
	records, err := store.Anchors(ctx)
	if err != nil {
		return err
	}
	pools := map[string][]*x509.Certificate{}
	for _, r := range append(records, record) {
		c, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			return fmt.Errorf("the anchor %x in the database cannot be read: remove it first", r.Fingerprint)
		}
		pools[r.Purpose] = append(pools[r.Purpose], c)
	}
	_, err = jpki.NewAnchors(pools[jpki.Authentication.String()], pools[jpki.Signature.String()])
	return err
}

func readCertificate(path string) (*x509.Certificate, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(body); block != nil {
		if next, _ := pem.Decode(rest); next != nil {
			return nil, fmt.Errorf("%s holds more than one PEM block: add one certificate at a time", path)
		}
		body = block.Bytes
	}
	c, err := x509.ParseCertificate(body)
	if err != nil {
		return nil, fmt.Errorf("%s is no certificate", path)
	}
	return c, nil
}

type trustList struct{ database }

// Run prints a table.
func (l *trustList) Run(ctx context.Context, t terminal) error {
	store, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	records, err := store.Anchors(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FINGERPRINT\tPURPOSE\tNAME\tUNTIL")
	for _, r := range records {
		until := "?"
		if c, err := x509.ParseCertificate(r.Certificate); err == nil {
			until = c.NotAfter.UTC().Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", hex.EncodeToString(r.Fingerprint), r.Purpose, nameOf(r), until)
	}
	return w.Flush()
}

func nameOf(r storage.Anchor) string {
	switch {
	case r.Test:
		return "(test)"
	case r.Name == "":
		return "(vouched for)"
	}
	return r.Name
}

type trustRemove struct {
	database
	Fingerprint string `arg:"" help:"SHA-256, as 'tegata trust list' shows it."`
}

// Run removes one.
func (r *trustRemove) Run(ctx context.Context, t terminal) error {
	sum, ok := jpki.ParseFingerprint(r.Fingerprint)
	if !ok {
		return usageError{errors.New("the fingerprint must be a SHA-256: 64 hexadecimal digits")}
	}
	store, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	if err := store.DeleteAnchor(ctx, sum[:]); errors.Is(err, storage.ErrNotFound) {
		return errors.New("there is no anchor with this fingerprint in the database")
	} else if err != nil {
		return err
	}
	fmt.Fprintln(t.Out, "it is trusted no more")
	return nil
}
