package login_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/authn/statement"
)

func TestALoginFromTheClickToTheConsent(t *testing.T) {
	d := sit(t, "taro")
	p, err := d.run(d.click("openid"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Away == nil && p.Form("/consent").Action == "" {
		t.Fatalf("the browser is at %s: %d %s", p.URL, p.Status, p.Code)
	}
	a := d.person.asked[0]
	if len(d.person.asked) != 1 || a.PIN != card.AuthPIN || a.Tries != 3 || a.Service != "Tegata Sake" || a.Host != "shop.example" ||
		a.Purpose != "To sell to adults." || len(a.Number) != 2 || a.Provider != strings.TrimPrefix(d.Issuer, "http://") {
		t.Errorf("asked %+v", d.person.asked)
	}
	if a.Declaration != "" || !slices.Equal(a.Reads, []string{prompt.ReadsLogin}) {
		t.Errorf("asked %+v", a)
	}
	d.spotless()
}

func TestAttributesTakeTheSignaturePasswordAndItsDeclaration(t *testing.T) {
	d := sit(t, "taro")
	d.login.Lang = prompt.Japanese
	if p, err := d.run(d.click("openid name")); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.SignPassword}) {
		t.Fatalf("asked for %v", got)
	}
	a := d.person.asked[1]
	if a.Declaration != statement.ShareAttributes || a.Service != "手形酒店" || a.Purpose != "成人に売るため" ||
		!slices.Equal(a.Reads, []string{prompt.ReadsLogin, prompt.ReadsSignature}) || !slices.Contains(a.Items, "name") {
		t.Errorf("asked %+v", a)
	}
	d.spotless()
}

func TestWhatIsRememberedIsNotReadAndTheWindowSaysSo(t *testing.T) {
	d := sit(t, "taro")
	p, err := d.run(d.click("openid name"))
	if err != nil {
		t.Fatal(err)
	}
	d.browser.Submit(p.Form("/consent"), "decision=allow", "remember=yes")
	hint := d.browser.Cookie("rm")
	d.browser = d.NewBrowser()
	d.browser.SetCookie("rm", hint)
	d.person.asked, d.person.answers = nil, []string{"1234"}
	if p, err = d.run(d.click("openid name")); err != nil || p.Away == nil && p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if len(d.person.asked) != 1 || d.person.asked[0].PIN != card.AuthPIN || !slices.Equal(d.person.asked[0].Reads, []string{prompt.ReadsLogin, prompt.Remembered}) {
		t.Errorf("asked %+v", d.person.asked)
	}
	d.spotless()
}

func TestAChildsAttributesComeFromTheCardInfoApplication(t *testing.T) {
	d := sit(t, "child")
	persona := d.Town.Persona(t, "child")
	d.person.answers = []string{persona.PIN, persona.CardInfoPIN}
	if p, err := d.run(d.click("openid birthdate")); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.CardInfoPIN}) {
		t.Fatalf("asked for %v", got)
	}
	d.spotless()
}

func TestAWrongPINIsAskedForAgainWithTheTriesLeft(t *testing.T) {
	d := sit(t, "taro")
	d.person.answers = []string{"9999", "8888", "1234"}
	if _, err := d.run(d.click("openid")); err != nil {
		t.Fatal(err)
	}
	var tries []int
	for i, a := range d.person.asked {
		tries = append(tries, a.Tries)
		if (a.Before != nil) != (i > 0) {
			t.Errorf("question %d says %v", i, a.Before)
		}
	}
	if !slices.Equal(tries, []int{3, 2, 1}) {
		t.Errorf("tries shown: %v", tries)
	}
	if left := d.reader.holds.Tries(card.AuthPIN); left != 3 {
		t.Errorf("after the right one there are %d tries", left)
	}
	d.spotless()
}

func TestTheWrongOneOfTwoIsNamed(t *testing.T) {
	d := sit(t, "taro")
	d.person.answers = []string{"1234", "WRONG1", "1234", "ABC123"}
	if _, err := d.run(d.click("openid name")); err != nil {
		t.Fatal(err)
	}
	for i, a := range d.person.asked {
		if (a.Before != nil) != (i == 3) {
			t.Errorf("question %d, for PIN %d, says %v", i, a.PIN, a.Before)
		}
	}
	if a := d.person.asked[3]; a.PIN != card.SignPassword || a.Tries != 4 {
		t.Errorf("%+v", a)
	}
	d.spotless()
}

func TestHowALoginEnds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		who   string
		set   func(d *desk)
		want  *fail.Error
		page  string // code on the waiting page
		tries int    // left on the card for the login PIN; -1: not asked
	}{
		{"the person says no", "taro", func(d *desk) { d.person.answers = []string{"no"} }, fail.UserCancelled, "user_cancelled", 3},
		{"the person says no at the second question", "taro", func(d *desk) { d.person.answers = []string{"9999", "no"} }, fail.UserCancelled, "user_cancelled", 2},
		{"the PIN is locked", "locked", func(*desk) {}, fail.PINLocked, "pin_locked", 0},
		{"three wrong ones", "taro", func(d *desk) { d.person.answers = []string{"9999", "9998", "9997", "1234"} }, fail.PINLocked, "pin_locked", 0},
		{"no reader in time", "taro", func(d *desk) { d.reader.holds, d.reader.missing = nil, []error{fail.ReaderNone} }, fail.ReaderNone, "reader_none", -1},
		{"no card in time", "taro", func(d *desk) { d.reader.holds, d.reader.missing = nil, []error{fail.CardNone} }, fail.CardNone, "card_none", -1},
		{"another program holds it", "taro", func(d *desk) { d.reader.holds, d.reader.missing = nil, []error{fail.ReaderBusy} }, fail.ReaderBusy, "reader_busy", -1},
		{"a certificate that was revoked", "revoked", func(*desk) {}, fail.CertificateRevoked, "certificate_revoked", 3},
		{"an agent that is too old", "taro", func(d *desk) { d.login.Version = "0.9" }, fail.AgentOutdated, "", 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := sit(t, tc.who)
			tc.set(d)
			s := d.click("openid")
			held := d.reader.holds
			p, err := d.run(s)
			if !errors.Is(err, tc.want) {
				t.Fatalf("ended with %v", err)
			}
			if tc.page != "" && p.Code != tc.page {
				t.Errorf("the page says %q (%d)", p.Code, p.Status)
			}
			if tc.tries >= 0 && held.Tries(card.AuthPIN) != tc.tries {
				t.Errorf("%d tries are left", held.Tries(card.AuthPIN))
			}
			d.spotless()
		})
	}
}

func TestATicketWorksOnce(t *testing.T) {
	d := sit(t, "taro")
	s := d.click("openid")
	if _, err := d.run(s); err != nil {
		t.Fatal(err)
	}
	looks := len(d.reader.looks)
	if err := d.login.Run(t.Context(), s.ticket); err == nil {
		t.Fatal("a second time")
	}
	if len(d.reader.looks) != looks {
		t.Error("the card was looked for without a login")
	}
}

func TestACardTakenAwayWhileThinkingIsWaitedFor(t *testing.T) {
	d := sit(t, "taro")
	first := true
	d.person.before = func(ctx context.Context, _ prompt.Ask) {
		if first {
			first = false
			d.reader.takeAway()
			<-ctx.Done() // the window closes
		}
	}
	if _, err := d.run(d.click("openid")); err != nil {
		t.Fatal(err)
	}
	if len(d.reader.looks) != 2 || len(d.person.asked) != 2 || d.person.asked[1].Tries != 3 {
		t.Errorf("%d looks, %d questions", len(d.reader.looks), len(d.person.asked))
	}
	d.spotless()
}

func TestAChoiceBetweenTwoCardsIsThePersons(t *testing.T) {
	d := sit(t, "taro")
	d.reader.missing = []error{fail.ReaderChoice.Because(&pcsc.Choice{Readers: []string{"left", "right"}})}
	if _, err := d.run(d.click("openid")); err != nil {
		t.Fatal(err)
	}
	if len(d.person.chose) != 2 || d.reader.looks[1].Reader != "right" {
		t.Errorf("chose from %v, then looked for %+v", d.person.chose, d.reader.looks[1])
	}
}

func TestAReadersOwnKeysTakeThePIN(t *testing.T) {
	d := sit(t, "taro")
	d.reader.faults.pad = true
	d.person.answers = []string{"ABC123"}
	if _, err := d.run(d.click("openid name")); err != nil {
		t.Fatal(err)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.SignPassword}) || len(d.person.given) != 1 {
		t.Errorf("asked for %v, given %d", got, len(d.person.given))
	}
	d.spotless()
}

func TestABlockedReturnOpensTheDefaultBrowser(t *testing.T) {
	d := sit(t, "taro")
	d.login.Back = time.Millisecond
	s := d.click("openid")
	if err := d.login.Run(t.Context(), s.ticket); err != nil {
		t.Fatal(err)
	}
	if p := d.browser.Get(<-d.opened); p.Away == nil && p.Form("/consent").Action == "" {
		t.Errorf("the browser is at %s: %d %s", p.URL, p.Status, p.Code)
	}
}

func TestCtrlCTellsThePage(t *testing.T) {
	d := sit(t, "taro")
	s := d.click("openid")
	ctx, cancel := context.WithCancel(t.Context())
	d.person.before = func(context.Context, prompt.Ask) { cancel() }
	if err := d.login.Run(ctx, s.ticket); !errors.Is(err, fail.UserCancelled) {
		t.Fatal(err)
	}
	if p := d.browser.Get(s.page.URL.String()); p.Code != fail.UserCancelled.Code {
		t.Errorf("the page does not know: %d %s", p.Status, p.Code)
	}
	d.spotless()
}

func TestAnotherProvidersContextIsNotSigned(t *testing.T) {
	d := sit(t, "taro")
	s := d.click("openid")
	d.login.Provider.Origin = strings.Replace(d.Issuer, "127.0.0.1", "localhost", 1)
	if err := d.login.Run(t.Context(), s.ticket); err == nil || len(d.reader.looks) != 0 || len(d.person.asked) != 0 {
		t.Fatalf("%v, %d looks", err, len(d.reader.looks))
	}
}

func TestAnUnreachableProvider(t *testing.T) {
	d := sit(t, "taro")
	d.login.Provider.Origin = "http://127.0.0.1:1"
	ticket, err := agent.NewTicket("AAAAAAAAAAAAAAAAAAAAAA", strings.Repeat("A", 43))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.login.Run(t.Context(), ticket); !errors.Is(err, fail.Unavailable) || len(d.reader.looks) != 0 {
		t.Fatal(err)
	}
}
