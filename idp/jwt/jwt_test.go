package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"pgregory.net/rapid"

	"tegata/idp/idptest/crafted"
)

var now = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// signer makes tokens of any bytes, as a broken or hostile client would.
type signer struct {
	t   testing.TB
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, key}
}

func (s signer) public(kid string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: &s.key.PublicKey, KeyID: kid}
}

// es256 signs header and payload as they are.
func (s signer) es256(header, payload string) string {
	s.t.Helper()
	input := b64(header) + "." + b64(payload)
	digest := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		s.t.Fatal(err)
	}
	var raw [64]byte
	r.FillBytes(raw[:32])
	v.FillBytes(raw[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(raw[:])
}

func payload() string {
	return fmt.Sprintf(`{"iss":"shop","sub":"shop","aud":"https://id.example","jti":"1","iat":%d,"exp":%d}`, now.Unix(), now.Unix()+60)
}

// accept is everything that is asked of a token.
func accept(compact string, keys ...jose.JSONWebKey) error {
	t, err := Parse(compact, ClientAssertion)
	if err != nil {
		return err
	}
	return errors.Join(t.Verify(keys), t.Fresh(now, 5*time.Minute), t.For("https://id.example"))
}

const good = `{"alg":"ES256","kid":"k"}`

func TestGoodTokens(t *testing.T) {
	s := newSigner(t)
	for _, tc := range []struct{ name, header, payload string }{
		{"a plain one", good, payload()},
		{"without a kid", `{"alg":"ES256"}`, payload()},
		{"with its type", `{"alg":"ES256","typ":"client-authentication+jwt"}`, payload()},
		{"with the general type in full", `{"alg":"ES256","typ":"application/JWT"}`, payload()},
		{"with header members that mean nothing", `{"alg":"ES256","x5t":"AAAA","note":[1,{"a":null}]}`, payload()},
		{"with a list of one audience", good, strings.Replace(payload(), `"https://id.example"`, `["https://id.example"]`, 1)},
		{"with a fraction of a second", good, strings.Replace(payload(), `"exp":`, `"exp":1.7E9,"expires":`, 1)},
		{"with a null inside a claim", good, strings.Replace(payload(), `{`, `{"claims":{"id_token":{"acr":null}},`, 1)},
		{"with space around the object", good, " " + payload() + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if strings.Contains(tc.payload, "1.7E9") { // long ago: well-formed is all there is to see
				if _, err := Parse(s.es256(tc.header, tc.payload), ClientAssertion); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err := accept(s.es256(tc.header, tc.payload), s.public("k")); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestEachAlgorithm(t *testing.T) {
	ec := newSigner(t).key
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"ES256": ec, "RS256": rs, "PS256": rs, "EdDSA": ed}
	var all []jose.JSONWebKey
	classic := slices.DeleteFunc(slices.Clone(Algorithms), func(alg string) bool { return alg == "Ed25519" })
	for _, alg := range classic {
		all = append(all, jose.JSONWebKey{Key: keys[alg].Public(), KeyID: alg, Algorithm: alg, Use: "sig"})
	}
	for _, alg := range classic {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: keys[alg]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		jws, err := s.Sign([]byte(payload()))
		if err != nil {
			t.Fatal(err)
		}
		compact, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if err := accept(compact, all...); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		for _, other := range all {
			if other.KeyID == alg {
				continue
			}
			if err := accept(compact, other); !errors.Is(err, ErrNoKey) {
				t.Errorf("%s with the key for %s: %v", alg, other.KeyID, err)
			}
		}
	}
}

// TestTheNewNameOfEd25519: RFC 9864 gave the curve an algorithm of its own.
func TestTheNewNameOfEd25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	input := b64(`{"alg":"Ed25519"}`) + "." + b64(payload())
	compact := input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(input)))
	for _, alg := range []string{"", "EdDSA", "Ed25519"} {
		if err := accept(compact, jose.JSONWebKey{Key: public, Algorithm: alg}); err != nil {
			t.Errorf("with a key for %q: %v", alg, err)
		}
	}
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := accept(compact, jose.JSONWebKey{Key: other}); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := accept(compact, jose.JSONWebKey{Key: public, Algorithm: "ES256"}); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key for something else: %v", err)
	}
}

// mold is of client assertions here, as those of everyone who sends us tokens.
func (s signer) mold() crafted.Mold {
	return crafted.Mold{
		Header: crafted.Members{"alg": "ES256", "kid": "k"}, Key: s.key, Types: map[string]bool{"client-authentication+jwt": true},
		Claims: func() crafted.Members {
			return crafted.Members{"iss": "shop", "sub": "shop", "aud": "https://id.example", "jti": "1", "iat": now.Unix(), "exp": now.Unix() + 60}
		}}
}

// Crafted tokens carry the right key's signature wherever one is possible, so that only the named defect speaks.
func TestCraftedTokensAreRefused(t *testing.T) {
	s := newSigner(t)
	if err := accept(s.mold().Good(), s.public("k")); err != nil {
		t.Fatal(err)
	}
	tokens := s.mold().Tokens()
	maps.Copy(tokens, s.untimely(t))
	for name, compact := range tokens {
		if err := accept(compact, s.public("k")); err == nil {
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "shop") || strings.Contains(err.Error(), "evil") {
			t.Errorf("%s: the error quotes the token: %v", name, err)
		}
	}
	if len(tokens) < 100 {
		t.Errorf("only %d crafted tokens", len(tokens))
	}
}

// untimely are tokens for others, or for another time: well-formed, and not good here and now.
func (s signer) untimely(t *testing.T) map[string]string {
	t.Helper()
	p := payload()
	claims := func(old, replacement string) string {
		if !strings.Contains(p, old) {
			t.Fatalf("no %s in %s", old, p)
		}
		return s.es256(good, strings.Replace(p, old, replacement, 1))
	}
	in := func(seconds int) string { return fmt.Sprint(now.Unix() + int64(seconds)) }
	return map[string]string{
		"nothing":                     "",
		"a megabyte":                  strings.Repeat("A", 1<<20),
		"an audience of two":          claims(`"https://id.example"`, `["https://id.example","https://evil.example"]`),
		"an empty audience":           claims(`"https://id.example"`, `[]`),
		"another audience":            claims(`"https://id.example"`, `"https://id.example/"`),
		"no audience":                 claims(`"aud":"https://id.example",`, ``),
		"an audience in another case": claims(`"aud":`, `"AUD":`),
		"no exp":                      claims(`"exp":`, `"EXP":`),
		"an exp that is over":         claims(`"exp":`+in(60), `"exp":`+in(-60)),
		"an exp too far ahead":        claims(`"exp":`+in(60), `"exp":`+in(301)),
		"an iat in the future":        claims(`"iat":`+in(0), `"iat":`+in(61)),
		"an nbf in the future":        claims(`"iat":`+in(0), `"nbf":`+in(61)),
	}
}

func TestKeysThatDoNotFit(t *testing.T) {
	s := newSigner(t)
	compact := s.es256(good, payload())
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	encryption, other := s.public("k"), s.public("k")
	encryption.Use, other.Algorithm = "enc", "RS256"
	for name, keys := range map[string][]jose.JSONWebKey{
		"none":                         nil,
		"two of one kid":               {s.public("k"), s.public("k")},
		"two of one kid, one foreign":  {newSigner(t).public("k"), s.public("k")},
		"the right one, to encrypt":    {encryption},
		"the right one, for another":   {other},
		"the right one, another's kid": {s.public("other")},
		"a secret":                     {{Key: []byte("secret"), KeyID: "k"}},
	} {
		if err := accept(compact, keys...); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		key any
		alg string
	}{
		"1024 bits": {&small.PublicKey, "RS256"}, "1024 bits with PSS": {&small.PublicKey, "PS256"}, "P-384 for ES256": {p384.Public(), "ES256"},
		"a curve for EdDSA": {&s.key.PublicKey, "EdDSA"}, "a short Ed25519 key": {ed25519.PublicKey(make([]byte, 31)), "EdDSA"},
		"an Ed448 key": {ed25519.PublicKey(make([]byte, 57)), "EdDSA"}, "Ed25519 for ES256": {ed25519.PublicKey(make([]byte, 32)), "ES256"},
		"a public key as a secret": {[]byte("public"), "HS256"},
	} {
		if Fits(jose.JSONWebKey{Key: tc.key}, tc.alg) {
			t.Errorf("%s fits", name)
		}
	}
}

func TestClocksMayDifferByAMinute(t *testing.T) {
	s := newSigner(t)
	for _, tc := range []struct {
		claim   string
		seconds int
		good    bool
	}{
		{"iat", 10, true}, {"iat", 60, true}, {"iat", 61, false}, {"nbf", 10, true}, {"nbf", 60, true}, {"nbf", 61, false},
		{"exp", 300, true}, {"exp", 301, false}, {"exp", -59, true}, {"exp", -60, false},
	} {
		claims := map[string]any{"aud": "https://id.example", "exp": now.Unix() + 60}
		claims[tc.claim] = now.Unix() + int64(tc.seconds)
		body, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		err = accept(s.es256(good, string(body)), s.public("k"))
		if (err == nil) != tc.good || err != nil && AsProblem(err) == "" {
			t.Errorf("%s %+d: %v", tc.claim, tc.seconds, err)
		}
	}
}

func TestWhatHasStarted(t *testing.T) {
	s := newSigner(t)
	for _, tc := range []struct {
		name     string
		nbf, exp int64 // seconds from now; an nbf of 1 is none
		good     bool
	}{
		{"now", 0, 60, true}, {"in a moment", 8, 60, true}, {"an hour ago", -3600, 0, true}, {"for an hour", 0, 3600, true},
		{"more than an hour ago", -3601, -1, false}, {"for more than an hour", 0, 3601, false}, {"who knows when", 1, 60, false},
	} {
		claims := map[string]any{"nbf": now.Unix() + tc.nbf, "exp": now.Unix() + tc.exp}
		if tc.nbf == 1 {
			delete(claims, "nbf")
		}
		body, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		token, err := Parse(s.es256(good, string(body)), RequestObject)
		if err != nil {
			t.Fatal(err)
		}
		if err := token.Started(now, time.Hour); (err == nil) != tc.good || err != nil && AsProblem(err) == "" {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestNoFlippedBitIsAccepted: whatever bit of a good token changes, it is not good any more.
func TestNoFlippedBitIsAccepted(t *testing.T) {
	s := newSigner(t)
	right := s.es256(good, payload())
	rapid.Check(t, func(t *rapid.T) {
		changed := []byte(right)
		changed[rapid.IntRange(0, len(changed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if accept(string(changed), s.public("k")) == nil {
			t.Fatalf("accepted %s", changed)
		}
	})
}

// FuzzParse: foreign bytes never crash, and what is accepted has one meaning for encoding/json too.
func FuzzParse(f *testing.F) {
	s := newSigner(f)
	f.Add(s.es256(good, payload()))
	for _, p := range []string{"null", "{}", `{"aud":[1]}`, `{"aud":["a"],"exp":1e3}`, `{"a":{"a":[]},"b":""}`} {
		f.Add(s.es256(good, p))
	}
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := Parse(compact, ClientAssertion)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if token.Claims == nil || strings.Count(compact, ".") != 2 {
			t.Fatal("accepted without claims")
		}
		_ = token.Fresh(now, time.Minute)
		_ = token.For("x")
		if token.Verify([]jose.JSONWebKey{s.public("k")}) == nil && !strings.HasPrefix(compact, b64(good)[:8]) {
			t.Fatal("a forged signature")
		}
	})
}
