package login_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/prompt"
)

// puzzled is a person who leaves the entry for one PIN empty.
type puzzled struct {
	*person
	at card.PIN
}

func (p puzzled) PIN(ctx context.Context, a prompt.Ask) ([]byte, error) {
	if a.PIN == p.at && a.OtherWay {
		p.asked = append(p.asked, a)
		return nil, prompt.ErrOtherWay
	}
	return p.person.PIN(ctx, a)
}

func TestALockedCardInfoPINIsPassedOverForThePrintedNumbers(t *testing.T) {
	d := sit(t, "printed")
	d.person.answers = []string{"1234", d.Town.Persona(t, "printed").NumberB()}
	if p, err := d.run(d.click("openid birthdate")); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.NumberB}) {
		t.Fatalf("asked for %v", got)
	}
	a := d.person.asked[1]
	if !errors.Is(a.Before, fail.PINLocked) || a.Tries != 10 || a.OtherWay || !slices.Equal(a.Reads, []string{prompt.ReadsLogin, prompt.ReadsCardInfo}) {
		t.Errorf("asked %+v", a)
	}
	d.spotless()
}

func TestWhoDoesNotKnowTheCardInfoPINTypesWhatIsPrinted(t *testing.T) {
	d := sit(t, "child")
	d.login.Prompt = puzzled{d.person, card.CardInfoPIN}
	d.person.answers = []string{"1234", d.Town.Persona(t, "child").NumberB()}
	if p, err := d.run(d.click("openid birthdate")); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.CardInfoPIN, card.NumberB}) || d.person.asked[0].OtherWay {
		t.Fatalf("asked for %v", got)
	}
	if d.reader.holds.Tries(card.CardInfoPIN) != 3 || d.reader.holds.Tries(card.NumberB) != 10 {
		t.Error("a try was spent")
	}
	d.spotless()
}

// A PIN that is guessed until it locks ends nothing: the numbers are still there.
func TestThePrintedNumbersAfterAPINThatLocks(t *testing.T) {
	d := sit(t, "child")
	number := d.Town.Persona(t, "child").NumberB()
	wrong := "010101" + number[6:]
	d.person.answers = []string{"1234", "9999", "1234", "9998", "1234", "9997", "1234", wrong, "1234", number}
	if p, err := d.run(d.click("openid birthdate")); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	asked := d.person.asked
	if last := asked[len(asked)-1]; len(asked) != 10 || last.PIN != card.NumberB || last.Tries != 9 || !errors.Is(last.Before, fail.PINWrong) {
		t.Errorf("%d questions, the last %+v", len(asked), last)
	}
	if d.reader.holds.Tries(card.CardInfoPIN) != 0 || d.reader.holds.Tries(card.NumberB) != 10 {
		t.Error("the counters are not those of what was typed")
	}
	d.spotless()
}

func TestWhereBothAreLockedNothingIsAskedInVain(t *testing.T) {
	d := sit(t, "child")
	d.Town.Settle(t, "sealed", []byte(`{"birthdate": "2017-06-20", "signature_certificate": false, "card_info_tries": 0, "number_b_tries": 0}`))
	d.reader.holds = d.Town.Card(t, "sealed")
	p, err := d.run(d.click("openid birthdate"))
	if !errors.Is(err, fail.PINLocked) || p.Code != "pin_locked" || len(d.person.given) != 1 {
		t.Errorf("%v, the page says %q, %d entries", err, p.Code, len(d.person.given))
	}
	d.spotless()
}

func TestThePageCanAskForThePrintedNumbersFirst(t *testing.T) {
	d := sit(t, "child")
	d.person.answers = []string{"1234", d.Town.Persona(t, "child").NumberB()}
	d.reader.faults.pad = true // its keys are for PINs
	s := d.click("openid birthdate")
	s = d.again(s, "card_info_by=number_b")
	d.person.answers = d.person.answers[1:]
	if p, err := d.run(s); err != nil || p.Form("/consent").Action == "" {
		t.Fatal(err, p.Code)
	}
	if got := d.person.pins(); !slices.Equal(got, []card.PIN{card.AuthPIN, card.NumberB}) || len(d.person.given) != 1 {
		t.Fatalf("asked for %v, given %d", got, len(d.person.given))
	}
	d.spotless()
}
