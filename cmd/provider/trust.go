package provider

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"tegata/authn/jpki"
	"tegata/storage"
)

// trust is whom a running server believes: the anchors of its configuration and those of the database, which all
// replicas share and read again.
type trust struct {
	configured *jpki.Trust
	allowTest  bool // anchors of a test hierarchy may be in the database
	store      anchors
	view       atomic.Pointer[jpki.Trust]
}

type anchors interface {
	Anchors(ctx context.Context) ([]storage.Anchor, error)
}

var errNoAnchors = errors.New("there are no anchors of both purposes: add the CA certificates with `tegata trust add FILE`, " +
	"or name PEM files in TEGATA_ANCHORS_AUTH and TEGATA_ANCHORS_SIGN")

// load reads the database's anchors. On an error the former view stays.
func (t *trust) load(ctx context.Context) error {
	records, err := t.store.Anchors(ctx)
	if err != nil {
		return fmt.Errorf("anchors cannot be read: %w", err)
	}
	next := *t.configured
	auth, sign := slices.Clone(next.Anchors.Auth), slices.Clone(next.Anchors.Sign)
	for _, r := range records {
		if r.Test && !t.allowTest {
			return errors.New("the database holds an anchor of a test hierarchy (see `tegata trust list`): " +
				"remove it, or set TEGATA_TEST_ANCHORS=true if this is no production server")
		}
		c, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			return fmt.Errorf("the anchor %x in the database cannot be read", r.Fingerprint)
		}
		if r.Purpose == jpki.Signature.String() {
			sign = with(sign, c)
		} else {
			auth = with(auth, c)
		}
	}
	if next.Anchors, err = jpki.NewAnchors(auth, sign); err != nil {
		return err
	}
	if len(auth) == 0 || len(sign) == 0 {
		return errNoAnchors
	}
	t.view.Store(&next)
	return nil
}

func with(all []*x509.Certificate, c *x509.Certificate) []*x509.Certificate {
	if slices.ContainsFunc(all, func(have *x509.Certificate) bool { return bytes.Equal(have.Raw, c.Raw) }) {
		return all
	}
	return append(all, c)
}

// Check is jpki.Trust's.
func (t *trust) Check(leaf *x509.Certificate, purpose jpki.Purpose, at time.Time) (*x509.Certificate, error) {
	return t.view.Load().Check(leaf, purpose, at)
}

// issuers are all anchors, whose revocation lists are believed.
func (t *trust) issuers() []*x509.Certificate {
	a := t.view.Load().Anchors
	return slices.Concat(a.Auth, a.Sign)
}

// issued finds the anchor behind the number of an authentication certificate; nil when it is not trusted any more.
func (t *trust) issued(n jpki.Number) *x509.Certificate { return t.issuedFor(n, jpki.Authentication) }

// issuedFor is issued for certificates of any purpose.
func (t *trust) issuedFor(n jpki.Number, purpose jpki.Purpose) *x509.Certificate {
	return t.view.Load().Anchors.Issued(n, purpose)
}

// signed is issued for the number of a signature certificate.
func (t *trust) signed(n jpki.Number) *x509.Certificate {
	return t.view.Load().Anchors.Issued(n, jpki.Signature)
}
