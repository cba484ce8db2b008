package authn

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"testing"
)

// Codes, tokens, tickets and cookies are all drawn here: a million of them share not even a quarter, and each of their 256
// bits is set in half of them. Chance alone fails this once in ten million runs.
func TestAMillionSecretsHaveNothingInCommon(t *testing.T) {
	const n = 1_000_000
	quarters := make([]uint64, n)
	var set [256]int
	for i := range quarters {
		s, err := NewSecret(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		quarters[i] = binary.BigEndian.Uint64(s[8*(i%4):])
		for j, b := range s {
			for ; b != 0; b &= b - 1 {
				set[8*j+bits.TrailingZeros8(b)]++
			}
		}
	}
	slices.Sort(quarters)
	if distinct := len(slices.Compact(quarters)); distinct != n {
		t.Errorf("%d of %d are the same", n-distinct, n)
	}
	for bit, times := range set {
		if off := math.Abs(float64(times) - n/2); off > 7*math.Sqrt(n)/2 {
			t.Errorf("bit %d is set in %d of %d", bit, times, n)
		}
	}
}

func TestASecretIsWholeOrNone(t *testing.T) {
	if s, err := NewSecret(bytes.NewReader(make([]byte, 31))); err == nil || s != (Secret{}) {
		t.Errorf("%v from 31 bytes of randomness", err)
	}
}
