package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/statement"
)

func TestWhatMayOpenTheCardInfoApplication(t *testing.T) {
	for _, tc := range []struct {
		name string
		by   []string
		want []card.PIN // nil: the agent is told to update
	}{
		{"a provider of before says nothing", nil, []card.PIN{card.CardInfoPIN}},
		{"the PIN, or else the number", []string{"card_info_pin", "number_b"}, []card.PIN{card.CardInfoPIN, card.NumberB}},
		{"the number, or else the PIN", []string{"number_b", "card_info_pin"}, []card.PIN{card.NumberB, card.CardInfoPIN}},
		{"said twice", []string{"number_b", "number_b"}, []card.PIN{card.NumberB}},
		{"what comes later is passed over", []string{"face", "card_info_pin"}, []card.PIN{card.CardInfoPIN}},
		{"nothing that is known", []string{"face"}, nil},
	} {
		p := newProvider(t).wants(statement.CardInfo)
		p.context.CardInfoBy = tc.by
		if tc.want == nil {
			if _, err := p.client().Claim(t.Context(), must(ParseTicket(goodTicket)), ""); !errors.Is(err, fail.AgentOutdated) {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if got := p.session().Opens(); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestNumberBOpensInPlaceOfThePIN(t *testing.T) {
	p, c := newProvider(t).wants(statement.CardInfo), &fake{}
	p.context.CardInfoBy = []string{statement.CardInfoPIN, statement.NumberB}
	in := Secrets{PIN: []byte("1234"), NumberB: []byte("55021720352285")}
	if _, err := p.session().Perform(t.Context(), c, in); err != nil {
		t.Fatal(err)
	}
	want := "verify number B 55021720352285, card info, verify pin 1234, auth certificate, sign with pin"
	if got := strings.Join(c.calls, ", "); got != want || p.results[0].CardInfo.Opened != statement.NumberB {
		t.Errorf("the card saw %s; %q", got, p.results[0].CardInfo.Opened)
	}
	p.judge()
	mustBeWiped(t, in)
}

func TestNumberBReachesNoCardThatItShouldNot(t *testing.T) {
	for _, tc := range []struct {
		name   string
		by     []string
		number string
		want   error
	}{
		{"thirteen digits", []string{"number_b"}, "5502172035228", fail.PINFormat},
		{"a thirteenth month", []string{"number_b"}, "55131720352285", fail.PINFormat},
		{"a year of the last century", []string{"number_b"}, "55021719352285", fail.PINFormat},
		{"a provider that has switched it off", []string{"card_info_pin"}, "55021720352285", fail.MethodDisabled},
		{"a provider that does not know it", nil, "55021720352285", fail.MethodDisabled},
	} {
		p, c := newProvider(t).wants(statement.CardInfo), &fake{}
		p.context.CardInfoBy = tc.by
		in := Secrets{PIN: []byte("1234"), CardInfoPIN: []byte("5678"), NumberB: []byte(tc.number)}
		if _, err := p.session().Perform(t.Context(), c, in); !errors.Is(err, tc.want) || len(c.calls) != 0 {
			t.Errorf("%s: %v, the card saw %v", tc.name, err, c.calls)
		}
		mustBeWiped(t, in)
	}
}

// A real exchange of APDUs: the number opens the four attributes and never the My Number.
func TestNumberBWithTheVirtualCard(t *testing.T) {
	c, plastic, who := virtual(t, "taro")
	p := newProvider(t).wants(statement.CardInfo)
	p.context.CardInfoBy = []string{statement.NumberB}
	s := p.session()
	wrong := []byte(who.NumberB())
	wrong[13] ^= 1
	if _, err := s.Perform(t.Context(), c, Secrets{PIN: []byte(who.PIN), NumberB: wrong}); !errors.Is(err, fail.PINWrong) || plastic.Tries(card.NumberB) != 9 {
		t.Fatalf("a wrong number: %v, %d tries left", err, plastic.Tries(card.NumberB))
	}
	if _, err := s.Perform(t.Context(), c, Secrets{PIN: []byte(who.PIN), NumberB: []byte(who.NumberB())}); err != nil {
		t.Fatal(err)
	}
	if plastic.Tries(card.NumberB) != 10 || plastic.Tries(card.CardInfoPIN) != 3 || plastic.MyNumberTouched() {
		t.Error("the card has seen more than the number")
	}
	p.judge()
}
