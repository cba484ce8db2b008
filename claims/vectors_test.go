package claims

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"
)

// vectors are the shared age vectors. The rows about wallets belong to another reader.
type vectors struct {
	Vectors []struct {
		ID, Birthdate string
		AsOf          time.Time `json:"as_of"`
		Expected      struct {
			Age       int
			AgeOver18 bool `json:"age_over_18"`
			AgeOver20 bool `json:"age_over_20"`
			ByDay     *int `json:"age_by_statutory_day"`
		}
	}
	Partial []struct {
		ID       string
		Parts    parts     `json:"birthdate_parts"`
		AsOf     time.Time `json:"as_of"`
		Expected struct {
			AgeOver18 any `json:"age_over_18"`
			AgeOver20 any `json:"age_over_20"`
			AgeMin    int `json:"age_min"`
			AgeMax    int `json:"age_max"`
		}
	} `json:"partial_dates"`
	Certificate []struct {
		ID, Input string
		Expected  struct {
			Parse, Birthdate, Error string
			EraConsistent           *bool `json:"era_consistent"`
			Partial                 *parts
		}
	} `json:"jpki_certificate_strings"`
	Printed []struct {
		ID, Input string
		Expected  struct{ Parse, Birthdate, Error string }
	} `json:"printed_strings"`
}

type parts struct{ Year, Month, Day *int }

func (p parts) date() PartialDate {
	known := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	return PartialDate{year: known(p.Year), month: known(p.Month), day: known(p.Day)}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("../testdata/vectors/age.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) == 0 || len(v.Partial) == 0 || len(v.Certificate) == 0 || len(v.Printed) == 0 {
		t.Fatal("a section of age.json is empty")
	}
	return v
}

func TestAgeVectors(t *testing.T) {
	for _, row := range readVectors(t).Vectors {
		t.Run(row.ID, func(t *testing.T) {
			birth := iso(t, row.Birthdate)
			if youngest, oldest, ok := ByInstant.Ages(birth, row.AsOf); !ok || youngest != row.Expected.Age || oldest != row.Expected.Age {
				t.Errorf("age %d to %d (%v), want %d", youngest, oldest, ok, row.Expected.Age)
			}
			if got := Attained(birth, 18, row.AsOf); got != answer(row.Expected.AgeOver18) {
				t.Errorf("18: answer %d, want %v", got, row.Expected.AgeOver18)
			}
			if got := Attained(birth, 20, row.AsOf); got != answer(row.Expected.AgeOver20) {
				t.Errorf("20: answer %d, want %v", got, row.Expected.AgeOver20)
			}
			if want := row.Expected.ByDay; want != nil {
				if got, _, _ := ByDay.Ages(birth, row.AsOf); got != *want {
					t.Errorf("by day %d, want %d", got, *want)
				}
			}
		})
	}
}

func TestPartialVectors(t *testing.T) {
	for _, row := range readVectors(t).Partial {
		t.Run(row.ID, func(t *testing.T) {
			birth := row.Parts.date()
			youngest, oldest, ok := ByInstant.Ages(birth, row.AsOf)
			if !ok || youngest != row.Expected.AgeMin || oldest != row.Expected.AgeMax {
				t.Errorf("age %d to %d (%v), want %d to %d", youngest, oldest, ok, row.Expected.AgeMin, row.Expected.AgeMax)
			}
			if got := Attained(birth, 18, row.AsOf); got != answer(row.Expected.AgeOver18) {
				t.Errorf("18: answer %d, want %v", got, row.Expected.AgeOver18)
			}
			if got := Attained(birth, 20, row.AsOf); got != answer(row.Expected.AgeOver20) {
				t.Errorf("20: answer %d, want %v", got, row.Expected.AgeOver20)
			}
		})
	}
}

func TestCertificateVectors(t *testing.T) {
	refusals := map[string]error{"length": ErrLength, "charset": ErrCharset, "era": ErrEra, "invalid_date": ErrDate}
	for _, row := range readVectors(t).Certificate {
		t.Run(row.ID, func(t *testing.T) {
			got, era, err := ParseCertificateBirth(row.Input)
			if want := refusals[row.Expected.Error]; !errors.Is(err, want) {
				t.Fatalf("error %v, want %v", err, want)
			}
			if got := eraWord(era); err == nil && (got == nil) != (row.Expected.EraConsistent == nil) ||
				got != nil && *got != *row.Expected.EraConsistent {
				t.Errorf("era %d, want %v", era, row.Expected.EraConsistent)
			}
			want := PartialDate{}
			switch {
			case row.Expected.Parse == "ok":
				want = iso(t, row.Expected.Birthdate)
			case row.Expected.Partial != nil:
				want = row.Expected.Partial.date()
			}
			if got != want {
				t.Errorf("read %s, want %s", got.ISO(), want.ISO())
			}
			if _, complete := got.Complete(); complete != (row.Expected.Parse == "ok") {
				t.Errorf("complete is %v", complete)
			}
		})
	}
}

func TestPrintedVectors(t *testing.T) {
	refusals := map[string]error{"": nil, "partial_date": nil, "era_range": ErrEra, "invalid_date": ErrDate}
	for _, row := range readVectors(t).Printed {
		t.Run(row.ID, func(t *testing.T) {
			got, err := ParsePrintedBirth(row.Input)
			if want, known := refusals[row.Expected.Error]; !known || !errors.Is(err, want) {
				t.Fatalf("error %v, want %q", err, row.Expected.Error)
			}
			if day, complete := got.Complete(); complete != (row.Expected.Parse == "ok") || complete && day.ISO() != row.Expected.Birthdate {
				t.Errorf("read %s", got.ISO())
			}
		})
	}
}

func eraWord(e EraCheck) *bool {
	agrees := e == EraAgrees
	if e == EraUnchecked {
		return nil
	}
	return &agrees
}

// answer translates true, false and "unknown".
func answer(word any) Answer {
	switch word {
	case true:
		return Yes
	case false:
		return No
	}
	return Unknown
}

func iso(t interface{ Fatalf(string, ...any) }, s string) PartialDate {
	p, err := ParseISO(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return p
}
