package source_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/source"
)

const sign, info = "signature_certificate", "card_info"

func TestOrder(t *testing.T) {
	both, cheap := source.Accepted{Sources: []string{sign, info}}, source.Accepted{Sources: []string{sign, info}, Cheapest: true}
	only := func(one string) func(string) bool { return func(s string) bool { return s == one } }
	for _, tc := range []struct {
		name string
		a    source.Accepted
		n    source.Need
		want []string
	}{
		{"the strongest first", both, source.Need{}, []string{sign, info}},
		{"the cheapest first, where the operator wants it so", cheap, source.Need{}, []string{info, sign}},
		{"the strongest for who asks how it was verified", cheap, source.Need{Verified: true}, []string{sign, info}},
		{"what is good enough alone", cheap, source.Need{Enough: only(sign)}, []string{sign}},
		{"nothing is good enough", source.Accepted{Sources: []string{info}}, source.Need{Enough: only(sign)}, []string{}},
		{"what this card has left", both, source.Need{Without: []string{sign}}, []string{info}},
		{"the operator accepts one", source.Accepted{Sources: []string{sign}, Cheapest: true}, source.Need{}, []string{sign}},
	} {
		if got := tc.a.Order(tc.n); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestAnAgentIsAskedForTheSameWhoeverCanCheckIt(t *testing.T) {
	for _, tc := range []struct{ order, want []string }{
		{[]string{sign, info, source.Unverified}, []string{sign, info}},
		{[]string{source.Unverified, sign}, []string{info, sign}},
		{[]string{sign}, []string{sign}},
		{nil, nil},
	} {
		if got := source.ForAgent(tc.order); !slices.Equal(got, tc.want) {
			t.Errorf("%v becomes %v", tc.order, got)
		}
	}
	cheap := source.Accepted{Sources: []string{sign, info, source.Unverified}, Cheapest: true}
	if got := cheap.Order(source.Need{}); !slices.Equal(got, []string{info, source.Unverified, sign}) {
		t.Errorf("the cheapest first, and of these the stronger: %v", got)
	}
	if got := cheap.Order(source.Need{Verified: true}); !slices.Equal(got, []string{sign, info, source.Unverified}) {
		t.Errorf("the strongest first: %v", got)
	}
}

func TestChoose(t *testing.T) {
	adult, child, moved := source.Card{Signature: true}, source.Card{}, source.Card{Signature: true, Ended: true}
	for _, tc := range []struct {
		name  string
		order []string
		card  source.Card
		want  string
		why   source.Why
	}{
		{"an adult signs", []string{sign, info}, adult, sign, source.First},
		{"four digits suffice", []string{info, sign}, adult, info, source.First},
		{"a child has four digits", []string{sign, info}, child, info, source.Missing},
		{"who has moved has four digits", []string{sign, info}, moved, info, source.Ended},
		{"a child at who wants a signature", []string{sign}, child, "", source.Missing},
		{"who has moved at who wants a signature", []string{sign}, moved, "", source.Ended},
		{"what an older agent does not know is passed over", []string{"wallet", sign}, adult, sign, source.First},
		{"nothing is accepted", nil, adult, "", source.First},
	} {
		if got, why := source.Choose(tc.order, tc.card); got != tc.want || why != tc.why {
			t.Errorf("%s: %q, %s", tc.name, got, why)
		}
	}
}

// What is chosen is always accepted, good enough, and served by the card; and where the cheapest comes first, nothing that
// would do takes less effort.
func TestTheChoiceIsGoodAndCheap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfDistinct(rapid.SampledFrom([]string{sign, info}), rapid.ID)
		a := source.Accepted{Sources: some.Draw(t, "accepted"), Cheapest: rapid.Bool().Draw(t, "cheapest")}
		enough := some.Draw(t, "enough")
		n := source.Need{Verified: rapid.Bool().Draw(t, "verified"), Without: some.Draw(t, "without"), Enough: func(s string) bool { return slices.Contains(enough, s) }}
		c := source.Card{Signature: rapid.Bool().Draw(t, "signature"), Ended: rapid.Bool().Draw(t, "ended")}
		would := func(s string) bool {
			return slices.Contains(a.Sources, s) && slices.Contains(enough, s) && !slices.Contains(n.Without, s) && (s == info || c.Signature && !c.Ended)
		}
		got, _ := source.Choose(a.Order(n), c)
		switch {
		case got == "" && (would(sign) || would(info)):
			t.Fatal("somebody could answer")
		case got != "" && !would(got):
			t.Fatalf("%s is chosen", got)
		case a.Cheapest && !n.Verified && would(info) && got != info:
			t.Fatal("four digits would do")
		}
	})
}
