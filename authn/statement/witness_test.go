package statement

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// A library that we did not write agrees about what is signed, and about what is not.
func TestGoJoseAgreesWithOpen(t *testing.T) {
	for _, name := range []string{"rsa", "p256", "p384"} {
		t.Run(name, func(t *testing.T) {
			who := people()[name]
			good, err := Sign(who.key, who.der, LoginType, example().Bytes())
			if err != nil {
				t.Fatal(err)
			}
			for at := len(good) - 100; at < len(good); at++ { // the end of the payload and the signature
				bad := []byte(good)
				bad[at] = swapped(bad[at])
				for _, compact := range []string{good, string(bad)} {
					_, err := Open(compact, LoginType)
					if theirs := accepts(compact, who); (err == nil) != theirs {
						t.Fatalf("byte %d: we say %v, go-jose accepts: %v", at, err, theirs)
					}
				}
			}
		})
	}
}

func accepts(compact string, who identity) bool {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384})
	if err != nil {
		return false
	}
	_, err = jws.Verify(who.key.Public())
	return err == nil
}

// swapped is another letter of the alphabet. The last letter of a segment may spell the same bytes: A stays out there.
func swapped(b byte) byte {
	if b == 'Q' {
		return 'g'
	}
	return 'Q'
}

func BenchmarkOpen(b *testing.B) {
	who := people()["rsa"]
	compact, err := Sign(who.key, who.der, LoginType, example().Bytes())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(compact, LoginType); err != nil {
			b.Fatal(err)
		}
	}
}
