package authn_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/authn/statement"
)

// platform is the stand-in's operator.
func platform(t *testing.T, ledger *revocation.Ledger) *revocation.Relations {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return &revocation.Relations{
		Platform: &revocation.Platform{URL: a.PlatformURL(), Keys: []*ecdsa.PublicKey{a.PlatformKey()}, Now: clock},
		Breaker:  &revocation.Breaker{Now: clock}, Ledger: ledger,
	}
}

// two is the result of one login with the cards of two people, or of one.
func (c *court) two(t *testing.T, auth, sign cardtest.Material) agent.ResultRequest {
	t.Helper()
	login, attributes := c.says()
	login.Attributes = statement.CertificateRef(sign.SignCert)
	return c.result(t, auth, sign, login, attributes)
}

func TestTwoPeoplesCardsDoNotGoTogether(t *testing.T) {
	_, taro := materialOf(t, "taro")
	_, jiro := materialOf(t, "jiro17")
	c := newCourt(t, "age_over_18")
	c.Correspondence = platform(t, nil)
	c.wants(t, c.two(t, jiro, taro), fail.CardsDiffer) // the minor, with an adult's name
	c.wants(t, c.two(t, taro, jiro), fail.CardsDiffer)
	e, err := c.Judge.Judge(t.Context(), c.login, c.two(t, taro, taro))
	if err != nil || e.Holder != authn.HolderConfirmed {
		t.Errorf("one person's card: %v, %v", e.Holder, err)
	}
}

func TestWhereNobodyIsAskedTheEvidenceSaysSo(t *testing.T) {
	_, taro := materialOf(t, "taro")
	_, jiro := materialOf(t, "jiro17")
	c := newCourt(t, "age_over_18")
	e, err := c.Judge.Judge(t.Context(), c.login, c.two(t, jiro, taro))
	if err != nil || e.Holder != authn.HolderUnasked {
		t.Errorf("with attributes: %q, %v", e.Holder, err)
	}
	alone := newCourt(t)
	login, _ := alone.says()
	e, err = alone.Judge.Judge(t.Context(), alone.login, agent.ResultRequest{Login: alone.login.ID, Statement: signed(t, taro, statement.LoginType, login.Bytes())})
	if err != nil || e.Holder != authn.HolderAlone {
		t.Errorf("without: %q, %v", e.Holder, err)
	}
}

func TestNoAnswerAboutTheHolderIsNoLogin(t *testing.T) {
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Misbehave(jpkitest.FaultNone) }() // FaultNone is always taken
	_, taro := materialOf(t, "taro")
	for _, fault := range []jpkitest.Fault{jpkitest.FaultOffline, jpkitest.FaultStale, jpkitest.FaultWrongKey, jpkitest.FaultNoNonce, jpkitest.FaultSkew} {
		t.Run(string(fault), func(t *testing.T) {
			c := newCourt(t, "age_over_18")
			c.Revocation = good{} // only the platform misbehaves
			c.Correspondence = platform(t, nil)
			if err := a.Misbehave(fault); err != nil {
				t.Fatal(err)
			}
			c.wants(t, c.two(t, taro, taro), fail.RevocationUnavailable)
		})
	}
}

type good struct{}

func (good) Check(context.Context, revocation.Question) (revocation.Answer, error) {
	return revocation.Answer{Status: revocation.Good}, nil
}

// witness counts how often it is asked, and what for.
type witness struct {
	asked   int
	consent string
	serial  *big.Int
	err     error
}

func (w *witness) Correspondence(_ context.Context, _ *x509.Certificate, consent, _ string) (*big.Int, error) {
	w.asked, w.consent = w.asked+1, consent
	return w.serial, w.err
}

func TestTheHolderIsAskedAboutOnlyWhereThereAreTwoCertificates(t *testing.T) {
	_, taro := materialOf(t, "taro")
	leaf, err := x509.ParseCertificate(taro.AuthCert)
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{serial: leaf.SerialNumber}
	alone := newCourt(t)
	alone.Correspondence = w
	login, _ := alone.says()
	alone.wants(t, agent.ResultRequest{Login: alone.login.ID, Statement: signed(t, taro, statement.LoginType, login.Bytes())}, nil)
	if w.asked != 0 {
		t.Error("a plain login asks")
	}
	c := newCourt(t, "age_over_18")
	c.Correspondence = w
	c.wants(t, c.two(t, taro, taro), nil)
	if w.asked != 1 || w.consent != statement.ShareAttributes {
		t.Errorf("asked %d times, with consent to %q", w.asked, w.consent)
	}
	w.err = errors.New("down")
	c.wants(t, c.two(t, taro, taro), fail.RevocationUnavailable)
	revoked, stranger := newCourt(t, "age_over_18"), &witness{serial: big.NewInt(1)}
	revoked.Correspondence = stranger
	_, bad := materialOf(t, "revoked")
	for range 20 { // always the same refusal, whoever answers first
		revoked.wants(t, revoked.two(t, taro, bad), fail.SignCertEnded)
	}
	_, old := materialOf(t, "expired")
	revoked.wants(t, revoked.two(t, taro, old), fail.SignCertEnded)
	revoked.wants(t, revoked.two(t, bad, old), fail.CertificateRevoked) // a card that is not good has no other way
}
