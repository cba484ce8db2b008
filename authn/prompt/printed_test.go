package prompt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// typist is a screen before which somebody types line by line; it keeps what it was shown.
type typist struct {
	lines []string
	shown []form
	given [][]byte
}

func (s *typist) secret(_ context.Context, f form) ([]byte, error) {
	s.shown = append(s.shown, f)
	if len(s.lines) == 0 {
		return nil, fail.UserCancelled
	}
	typed := []byte(s.lines[0])
	s.lines, s.given = s.lines[1:], append(s.given, typed)
	return typed, nil
}

func (s *typist) confirm(_ context.Context, f form) error {
	s.shown = append(s.shown, f)
	return fail.UserCancelled
}
func (s *typist) choose(context.Context, form, []string) (int, error) { return 0, nil }
func (s *typist) tell(context.Context, form) error                    { return nil }
func (s *typist) patient() bool                                       { return true }

func (s *typist) wiped(t *testing.T) {
	t.Helper()
	for _, typed := range s.given {
		if strings.Trim(string(typed), "\x00") != "" {
			t.Error("what was typed is still in memory")
		}
	}
}

func TestThePrintedNumbersAreAskedForOneByOne(t *testing.T) {
	words := everyLanguage(t)
	for l, want := range map[Lang][3]string{
		Japanese: {"生年月日", "西暦の年4桁", "セキュリティコード"}, English: {"Birthdate", "Valid until", "Security code"},
	} {
		s := &typist{lines: []string{"５５０２１７", "2035", "2285"}}
		got, err := desk{s, words[l]}.PIN(t.Context(), sample(card.NumberB, 10))
		if err != nil || string(got) != "55021720352285" {
			t.Fatalf("%q, %v", got, err)
		}
		for i, f := range s.shown {
			if !strings.Contains(f.label+f.body, want[i]) || !strings.Contains(f.body, "10") || !strings.Contains(f.body, "42") || !strings.Contains(f.body, "sake.example") {
				t.Errorf("window %d says %q, %q", i, f.label, f.body)
			}
		}
		s.wiped(t)
	}
}

func TestASlipInOnePartIsToldBeforeTheNextOneAndCostsNoTry(t *testing.T) {
	s := &typist{lines: []string{"19800217", "550217", "35", "2035", "", "2285"}}
	a := sample(card.NumberB, 10)
	a.Before = fail.PINWrong.Left(10)
	got, err := desk{s, everyLanguage(t)[English]}.PIN(t.Context(), a)
	if err != nil || string(got) != "55021720352285" {
		t.Fatalf("%q, %v", got, err)
	}
	want := []string{"was wrong", "That is not 6 digits of a date. The card was not asked.", "", "a year of 4 digits", "", "4 digits"}
	for i, f := range s.shown {
		if !strings.Contains(f.problem, want[i]) || want[i] == "" && f.problem != "" {
			t.Errorf("window %d says %q", i, f.problem)
		}
	}
	s.wiped(t)
}

func TestNumberBIsSparedLikeAPIN(t *testing.T) {
	d := desk{&typist{lines: []string{"550217", "2035", "2285"}}, everyLanguage(t)[English]}
	if _, err := d.PIN(t.Context(), sample(card.NumberB, 0)); !errors.Is(err, fail.PINLocked) {
		t.Errorf("locked: %v", err)
	}
	if _, err := d.PIN(t.Context(), sample(card.NumberB, 1)); !errors.Is(err, fail.UserCancelled) {
		t.Errorf("the last try: %v", err)
	}
	p, _ := scripted(t, "55021720352285\n", false)
	if got, err := p.PIN(t.Context(), sample(card.NumberB, 10)); err != nil || string(got) != "55021720352285" {
		t.Errorf("a script: %q, %v", got, err)
	}
	p, _ = scripted(t, "55131720352285\n", false)
	if _, err := p.PIN(t.Context(), sample(card.NumberB, 10)); !errors.Is(err, fail.PINFormat) {
		t.Errorf("a script with a thirteenth month: %v", err)
	}
}

func TestAnEmptyEntryTakesTheOtherWayWhereThereIsOne(t *testing.T) {
	a := sample(card.CardInfoPIN, 3)
	s := &typist{lines: []string{"", "1234"}}
	if got, err := (desk{s, everyLanguage(t)[English]}).PIN(t.Context(), a); err != nil || string(got) != "1234" || strings.Contains(s.shown[0].body, "leave it empty") {
		t.Errorf("without another way: %q, %v", got, err)
	}
	a.OtherWay = true
	s = &typist{lines: []string{""}}
	if _, err := (desk{s, everyLanguage(t)[English]}).PIN(t.Context(), a); !errors.Is(err, ErrOtherWay) || !strings.Contains(s.shown[0].body, "leave it empty") {
		t.Errorf("with another way: %v", err)
	}
	if f := everyLanguage(t)[English].pad(a); strings.Contains(f.body, "leave it empty") {
		t.Error("a reader's own keys take no empty entry")
	}
	p, _ := scripted(t, "\n", false)
	if _, err := p.PIN(t.Context(), a); !errors.Is(err, ErrOtherWay) {
		t.Errorf("a script: %v", err)
	}
}
