package status_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/cmd/tegata-agent/status"
	"tegata/idp/idptest"
)

// shelf is readers with cards in them, or with what goes wrong there.
type shelf struct {
	names  []string
	cards  map[string]*cardtest.Card
	wrong  map[string]error
	opened int
}

func (s *shelf) Readers(context.Context) (out []pcsc.Reader, _ error) {
	for _, n := range s.names {
		out = append(out, pcsc.Reader{Name: n, HasCard: s.cards[n] != nil || s.wrong[n] != nil})
	}
	return out, nil
}

func (s *shelf) Open(ctx context.Context, reader string) (status.Card, error) {
	if err := s.wrong[reader]; err != nil {
		return nil, err
	}
	c, err := card.Open(ctx, s.cards[reader].Connect())
	if err != nil {
		return nil, err
	}
	s.opened++
	return closing{c, s}, nil
}

type closing struct {
	*card.Card
	shelf *shelf
}

func (c closing) Close() error {
	c.shelf.opened--
	return c.Card.Close()
}

func TestWhatLiesWhere(t *testing.T) {
	town := idptest.Visit(t)
	s := &shelf{
		names: []string{"taro's", "child's", "expired", "empty", "busy", "licence", "juki"},
		cards: map[string]*cardtest.Card{"taro's": town.Card(t, "taro"), "child's": town.Card(t, "child"), "expired": town.Card(t, "expired")},
		wrong: map[string]error{"busy": fail.ReaderBusy, "licence": fail.CardUnsupported, "juki": fail.CardOldJuki},
	}
	found, err := status.Look(t.Context(), s, "", town.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]status.Reader{}
	for _, r := range found {
		by[r.Name] = r
	}
	for name, want := range map[string][4]string{
		"taro's":  {status.MyNumberCard, "", "present", "valid"},
		"child's": {status.MyNumberCard, "", "absent", "valid"},
		"expired": {status.MyNumberCard, "", "present", "expired"},
		"empty":   {status.NoCard, "", "", ""},
		"busy":    {status.Unknown, "reader_busy", "", ""},
		"licence": {status.Unknown, "card_unsupported", "", ""},
		"juki":    {status.Unknown, "card_is_old_juki", "", ""},
	} {
		r := by[name]
		state := ""
		if r.AuthCertificate != nil {
			state = r.AuthCertificate.State
		}
		if got := [4]string{r.Card, r.Code, r.SignCertificate, state}; got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	tries := by["taro's"].Tries
	if tries == nil || *tries.AuthPIN != 3 || *tries.SignPassword != 5 || *tries.CardInfoPIN != 3 || *tries.NumberB != 10 {
		t.Errorf("%+v", tries)
	}
	if s.opened != 0 {
		t.Errorf("%d cards were not reset", s.opened)
	}
	if s.cards["taro's"].MyNumberTouched() {
		t.Error("the My Number was touched")
	}
	taro := town.Persona(t, "taro")
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	for _, personal := range []string{taro.Name, taro.Address, "serial"} {
		if strings.Contains(string(text), personal) {
			t.Errorf("the status tells %q", personal)
		}
	}
}

func TestOnlyTheReaderThatWasNamed(t *testing.T) {
	s := &shelf{names: []string{"a", "b"}}
	if found, err := status.Look(t.Context(), s, "b", idptest.Visit(t).Clock.Now()); err != nil || len(found) != 1 || found[0].Name != "b" {
		t.Error(found, err)
	}
	if _, err := status.Look(t.Context(), s, "c", idptest.Visit(t).Clock.Now()); !errors.Is(err, fail.ReaderNone) {
		t.Error(err)
	}
}

func TestALookSpendsNothing(t *testing.T) {
	town := idptest.Visit(t)
	c := town.Card(t, "taro")
	s := &shelf{names: []string{"a"}, cards: map[string]*cardtest.Card{"a": c}}
	for range 20 {
		if _, err := status.Look(t.Context(), s, "", town.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if c.Tries(card.AuthPIN) != 3 || c.Tries(card.SignPassword) != 5 || c.Tries(card.CardInfoPIN) != 3 || c.Tries(card.NumberB) != 10 {
		t.Error("tries were spent")
	}
}
