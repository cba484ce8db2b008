package mynumber

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// vectors is testdata/vectors/numbers.json. The numbers with a valid check digit live there and are built here: none is
// written into source.
type vectors struct {
	Vectors []struct {
		Kind, Digits string
		Valid        any
	}
	Cases []struct {
		Text       string
		Hit        bool `json:"expect_hit"`
		Derivation string
	} `json:"detector_cases"`
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile("../../testdata/vectors/numbers.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil || len(v.Vectors) < 15 || len(v.Cases) < 10 {
		t.Fatal(len(v.Vectors), len(v.Cases), err)
	}
	return v
}

func TestCheckDigitVectors(t *testing.T) {
	for _, v := range readVectors(t).Vectors {
		valid, told := v.Valid.(bool)
		switch {
		case v.Kind == "individual_number" && Individual(v.Digits) != valid:
			t.Errorf("individual number, valid %v", valid)
		case v.Kind == "corporate_number" && told && Corporate(v.Digits) != valid:
			t.Errorf("corporate number, valid %v", valid)
		}
	}
}

// individual is an invented number with its check digit.
func individual(eleven string) string {
	for check := '0'; check <= '9'; check++ {
		if Individual(eleven + string(check)) {
			return eleven + string(check)
		}
	}
	panic("no check digit fits")
}

func TestCheckDigitsCatchMistakes(t *testing.T) {
	good := individual("31415926535")
	for _, bad := range []string{"", good[:11], good + "0", strings.Replace(good, "1", "\uff11", 1), good[:11] + "x", "-" + good[1:]} {
		if Individual(bad) {
			t.Errorf("%d bytes accepted", len(bad))
		}
	}
	missed := 0
	for i := range good {
		for d := '0'; d <= '9'; d++ {
			if changed := good[:i] + string(d) + good[i+1:]; changed != good && Individual(changed) {
				missed++
			}
		}
	}
	if missed > 4 {
		t.Errorf("%d of 108 mistyped digits pass", missed)
	}
	if Corporate("") || Corporate("8000012050002") || Corporate("700001205000x") {
		t.Error("a wrong corporate number passes")
	}
}

func TestOneRandomNumberInTenPassesTheCheck(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	passed := 0
	for range 20000 {
		digits := make([]byte, 12)
		for i := range digits {
			digits[i] = byte('0' + r.IntN(10))
		}
		if Individual(string(digits)) {
			passed++
		}
	}
	if passed < 1800 || passed > 2200 {
		t.Errorf("%d of 20000", passed)
	}
}
