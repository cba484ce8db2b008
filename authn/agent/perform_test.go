package agent

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/statement"
	"tegata/testdata/personas"
)

var _ Card = (*card.Card)(nil)

func entries() Secrets {
	return Secrets{PIN: []byte("1234"), Password: []byte("ABC123"), CardInfoPIN: []byte("5678")}
}

func TestPerformUsesTheCardInOneOrder(t *testing.T) {
	tests := []struct {
		name    string
		sources []string
		card    fake
		want    string
	}{
		{"a login", nil, fake{}, "verify pin 1234, auth certificate, sign with pin"},
		{"the signature certificate", []string{statement.SignatureCertificate, statement.CardInfo}, fake{},
			"list, verify pin 1234, auth certificate, verify password ABC123, sign certificate, sign with pin, sign with password"},
		{"the card-info application before the PIN that it would close", []string{statement.CardInfo, statement.SignatureCertificate}, fake{},
			"verify card-info pin 5678, card info, verify pin 1234, auth certificate, sign with pin"},
		{"a child's card falls back", []string{statement.SignatureCertificate, statement.CardInfo}, fake{noSign: true},
			"list, verify card-info pin 5678, card info, verify pin 1234, auth certificate, sign with pin"},
		{"a source of the future is passed over", []string{"wallet", statement.CardInfo}, fake{},
			"verify card-info pin 5678, card info, verify pin 1234, auth certificate, sign with pin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProvider(t)
			if tt.sources != nil {
				p.wants(tt.sources...)
			}
			code, err := p.session().Perform(t.Context(), &tt.card, entries())
			if err != nil || code != goodLogin+"."+goodCode {
				t.Fatalf("Perform = %q, %v", code, err)
			}
			if got := strings.Join(tt.card.calls, ", "); got != tt.want {
				t.Errorf("the card saw %s", got)
			}
			p.judge()
		})
	}
}

func TestSourceTellsWhatToAskFor(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sources  []string
		noSign   bool
		want     string
		password bool
		err      error
	}{
		{name: "nothing but the PIN for a login"},
		{name: "the password for a signature certificate", sources: []string{statement.SignatureCertificate}, want: statement.SignatureCertificate, password: true},
		{name: "no password for a child", sources: []string{statement.SignatureCertificate, statement.CardInfo}, noSign: true, want: statement.CardInfo},
		{name: "no password where card info is preferred", sources: []string{statement.CardInfo, statement.SignatureCertificate}, want: statement.CardInfo},
		{name: "an honest no", sources: []string{statement.SignatureCertificate}, noSign: true, err: fail.SignCertMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProvider(t)
			if tt.sources != nil {
				p.wants(tt.sources...)
			}
			s, c := p.session(), &fake{noSign: tt.noSign}
			if got, err := s.Source(t.Context(), c); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Source = %q, %v", got, err)
			}
			if got, err := s.NeedsPassword(t.Context(), c); got != tt.password || !errors.Is(err, tt.err) {
				t.Errorf("NeedsPassword = %v, %v", got, err)
			}
			if _, err := s.Perform(t.Context(), c, entries()); !errors.Is(err, tt.err) {
				t.Errorf("Perform: %v", err)
			}
		})
	}
}

func TestEntriesThatCannotBeRightNeverReachTheCard(t *testing.T) {
	for name, change := range map[string]func(*Secrets){
		"no PIN":                  func(s *Secrets) { s.PIN = nil },
		"a PIN of three digits":   func(s *Secrets) { s.PIN = []byte("123") },
		"a PIN of five digits":    func(s *Secrets) { s.PIN = []byte("12345") },
		"a PIN with a letter":     func(s *Secrets) { s.PIN = []byte("12a4") },
		"a PIN with a line end":   func(s *Secrets) { s.PIN = []byte("1234\n") },
		"a PIN in full width":     func(s *Secrets) { s.PIN = []byte("１２３４") },
		"no password":             func(s *Secrets) { s.Password = nil },
		"a password of five":      func(s *Secrets) { s.Password = []byte("ABC12") },
		"a password of seventeen": func(s *Secrets) { s.Password = []byte("ABCDEFGHIJKLMNOP1") },
		"a password in lower case": func(s *Secrets) {
			s.Password = []byte("abc123")
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, in := newProvider(t).wants(statement.SignatureCertificate), &fake{}, entries()
			change(&in)
			if _, err := p.session().Perform(t.Context(), c, in); !errors.Is(err, fail.PINFormat) {
				t.Error(err)
			}
			if strings.Contains(strings.Join(c.calls, " "), "verify") {
				t.Errorf("the card saw %v", c.calls)
			}
			mustBeWiped(t, in)
		})
	}
	p, c, in := newProvider(t).wants(statement.CardInfo), &fake{}, entries()
	in.CardInfoPIN = []byte("56789")
	if _, err := p.session().Perform(t.Context(), c, in); !errors.Is(err, fail.PINFormat) || len(c.calls) != 0 {
		t.Errorf("card-info PIN: %v, %v", err, c.calls)
	}
}

func mustBeWiped(t *testing.T, s Secrets) {
	t.Helper()
	for _, b := range [][]byte{s.PIN, s.Password, s.CardInfoPIN, s.NumberB} {
		if strings.Trim(string(b), "\x00") != "" {
			t.Error("a secret is still in memory")
		}
	}
}

func TestAWrongPINIsAskedOnceAndMayBeTriedAgain(t *testing.T) {
	p := newProvider(t)
	s, c, in := p.session(), &fake{refuse: fail.PINWrong.Left(2)}, entries()
	_, err := s.Perform(t.Context(), c, in)
	if !errors.Is(err, fail.PINWrong) || fail.From(err).Tries != 2 {
		t.Errorf("Perform: %v", err)
	}
	if !reflect.DeepEqual(c.calls, []string{"verify pin 1234"}) || len(p.results) != 0 {
		t.Errorf("the card saw %v, the provider %v", c.calls, p.results)
	}
	mustBeWiped(t, in)
	c.refuse = nil
	in = entries()
	if _, err := s.Perform(t.Context(), c, in); err != nil {
		t.Errorf("the second entry: %v", err)
	}
	mustBeWiped(t, in)
	p.judge()
}

func TestTheResultGoesOutOnce(t *testing.T) {
	p := newProvider(t)
	s, c := p.session(), &fake{}
	if _, err := s.Perform(t.Context(), c, entries()); err != nil {
		t.Fatal(err)
	}
	seen := len(c.calls)
	if _, err := s.Perform(t.Context(), c, entries()); !errors.Is(err, fail.AlreadyUsed) || len(c.calls) != seen || len(p.results) != 1 {
		t.Errorf("a second Perform: %v, %v", err, c.calls)
	}
	p = newProvider(t)
	s = p.session()
	p.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	if _, err := s.Perform(t.Context(), c, entries()); !errors.Is(err, fail.Unavailable) {
		t.Errorf("a lost answer: %v", err)
	}
	if _, err := s.Perform(t.Context(), c, entries()); !errors.Is(err, fail.AlreadyUsed) {
		t.Errorf("after a lost answer: %v", err)
	}
	if got := p.count(ResultPath).Load(); got != 1 {
		t.Errorf("the result was sent %d times", got)
	}
}

func TestPerformStopsBeforeTheCardWhenItIsTooLate(t *testing.T) {
	p, c := newProvider(t), &fake{}
	s := p.session()
	s.client.Now = func() time.Time { return p.context.Expires }
	in := entries()
	if _, err := s.Perform(t.Context(), c, in); !errors.Is(err, fail.LoginExpired) || len(c.calls) != 0 {
		t.Errorf("%v, %v", err, c.calls)
	}
	mustBeWiped(t, in)
}

func TestStatementsEndWithTheLogin(t *testing.T) {
	p := newProvider(t)
	p.context.Expires = now.Add(30 * time.Second)
	if _, err := p.session().Perform(t.Context(), &fake{}, entries()); err != nil {
		t.Fatal(err)
	}
	opened, _ := statement.Open(p.results[0].Statement, statement.LoginType)
	if !strings.HasSuffix(string(opened.Payload), `"iat":1782874800,"exp":1782874830}`) {
		t.Errorf("payload %s", opened.Payload)
	}
}

func TestACardThatLiesIsFoundOutBeforeAnythingIsSent(t *testing.T) {
	for _, tt := range []struct {
		name string
		card fake
		want error
	}{
		{"a signature by another key", fake{swap: true}, fail.SignatureInvalid},
		{"a certificate that cannot be read", fake{blank: true}, fail.CardDataBroken},
	} {
		p := newProvider(t)
		if _, err := p.session().Perform(t.Context(), &tt.card, entries()); !errors.Is(err, tt.want) || len(p.results) != 0 {
			t.Errorf("%s: %v, %d results", tt.name, err, len(p.results))
		}
	}
}

// slow is a card on which a person takes her time.
type slow struct {
	*fake
	at, done chan struct{}
}

func (s slow) Verify(ctx context.Context, p card.PIN, secret []byte) error {
	close(s.at)
	<-s.done
	return s.fake.Verify(ctx, p, secret)
}

func TestOnePerformAtATime(t *testing.T) {
	p := newProvider(t)
	s, c := p.session(), slow{&fake{}, make(chan struct{}), make(chan struct{})}
	first := make(chan error, 1)
	go func() { _, err := s.Perform(t.Context(), c, entries()); first <- err }()
	<-c.at
	if _, err := s.Perform(t.Context(), &fake{}, entries()); !errors.Is(err, fail.AgentBusy) {
		t.Errorf("the second: %v", err)
	}
	close(c.done)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
}

// virtual puts a persona's virtual card on the reader; the certificates are self-signed, for trust is not asked here.
func virtual(t *testing.T, name string) (*card.Card, *cardtest.Card, cardtest.Persona) {
	t.Helper()
	people, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range people {
		if who.ID != name {
			continue
		}
		h := taro()
		plastic := cardtest.New(who, cardtest.Material{
			AuthKey: h.auth, AuthCert: h.authDER, AuthCA: h.authDER, SignKey: h.sign, SignCert: h.signDER, SignCA: h.signDER,
			CardInfoKey: h.sign, CardInfoCVC: must(cardtest.CertifyCardInfoKey(&h.sign.PublicKey, h.auth)),
		})
		c, err := card.Open(t.Context(), plastic.Connect())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c, plastic, who
	}
	t.Fatalf("no persona %s", name)
	return nil, nil, cardtest.Persona{}
}

func TestPerformWithTheVirtualCard(t *testing.T) {
	for _, sources := range [][]string{nil, {statement.SignatureCertificate}, {statement.CardInfo}} {
		t.Run(strings.Join(append([]string{"login"}, sources...), " with "), func(t *testing.T) {
			c, plastic, who := virtual(t, "taro")
			p := newProvider(t)
			if sources != nil {
				p.wants(sources...)
			}
			s := p.session()
			before := plastic.Tries(card.AuthPIN)
			_, err := s.Perform(t.Context(), c, Secrets{PIN: []byte("0000"), Password: []byte(who.Password), CardInfoPIN: []byte(who.CardInfoPIN)})
			if !errors.Is(err, fail.PINWrong) || plastic.Tries(card.AuthPIN) != before-1 {
				t.Fatalf("a wrong PIN: %v, %d tries left of %d", err, plastic.Tries(card.AuthPIN), before)
			}
			if _, err := s.Perform(t.Context(), c, Secrets{PIN: []byte(who.PIN), Password: []byte(who.Password), CardInfoPIN: []byte(who.CardInfoPIN)}); err != nil {
				t.Fatal(err)
			}
			p.judge()
			if plastic.MyNumberTouched() {
				t.Error("the My Number file was selected")
			}
		})
	}
}
