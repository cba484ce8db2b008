package jpkitest_test

import (
	"crypto/ecdsa"
	"errors"
	"testing"
	"time"

	"tegata/authn/jpki"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
)

// The operator gives attributes to who holds a consent of that very person, and to nobody else.
func TestLatestAttributesNeedAStandingConsentOfThePerson(t *testing.T) {
	w := open(t)
	question := func(name string) revocation.Question {
		m, err := w.Equip(persona(name))
		if err != nil {
			t.Fatal(err)
		}
		leaf := parse(t, m.SignCert)
		issuer, err := w.Trust().Check(leaf, jpki.Signature, now)
		if err != nil {
			t.Fatal(err)
		}
		return revocation.Question{Serial: leaf.SerialNumber, Issuer: issuer}
	}
	l := &revocation.Latest{Breaker: &revocation.Breaker{Now: clock}, Platform: &revocation.Platform{
		URL: w.PlatformURL(), Keys: []*ecdsa.PublicKey{w.PlatformKey()}, HTTP: w.server.Client(), Now: clock}}
	ctx, one, other := t.Context(), question("taro"), question("hanako")
	refused := func(what string, q revocation.Question, id string) {
		t.Helper()
		if _, err := l.Attributes(ctx, q, id, "shop"); !errors.Is(err, revocation.ErrLatestRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("without a consent", one, "r")
	if err := l.Register(ctx, one, "r", "", now.Add(time.Hour)); !errors.Is(err, revocation.ErrLatestRefused) {
		t.Errorf("a consent to no text: %v", err)
	}
	if err := l.Register(ctx, one, "r", "text", now.Add(-time.Hour)); !errors.Is(err, revocation.ErrLatestRefused) {
		t.Errorf("a consent that is over: %v", err)
	}
	if err := l.Register(ctx, one, "r", "text", now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	refused("with somebody else's certificate", other, "r")
	if a, err := l.Attributes(ctx, one, "r", "shop"); err != nil || a.Name != persona("taro").Name {
		t.Errorf("%v", err)
	}
	if err := w.Happen("taro", jpkitest.Rename, "X Y"); err != nil {
		t.Fatal(err)
	}
	news, err := l.News(ctx, "")
	if err != nil || len(news.Consents) != 1 || news.Consents[0] != "r" || news.More {
		t.Errorf("%+v %v", news, err)
	}
	if again, err := l.News(ctx, news.Place); err != nil || len(again.Consents) != 0 || again.Place != news.Place {
		t.Errorf("%+v %v", again, err)
	}
	if a, err := l.Attributes(ctx, one, "r", "shop"); err != nil || a.Name != "X Y" { // with the certificate before
		t.Errorf("%v", err)
	}
	for range 2 {
		if err := l.Withdraw(ctx, "r"); err != nil {
			t.Error(err)
		}
	}
	refused("after the withdrawal", one, "r")
	if news, err := l.News(ctx, ""); err != nil || len(news.Consents) != 0 {
		t.Errorf("news of a withdrawn consent: %+v %v", news, err)
	}
}
