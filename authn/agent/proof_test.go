package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

var now = time.Date(2026, 7, 1, 3, 0, 0, 0, time.UTC)

const resultURL = "https://id.example" + ResultPath

func mustKey(t testing.TB) *Key {
	t.Helper()
	k, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustProve(t testing.TB, k *Key, url string, body []byte, claim bool) string {
	t.Helper()
	p, err := k.Prove("POST", url, body, claim, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func claimBody(k *Key) []byte {
	body, err := json.Marshal(ClaimRequest{Ticket: goodTicket, Key: k.Public(), Version: "1.0.0"})
	if err != nil {
		panic(err)
	}
	return body
}

// sealed signs a header and payload of one's choice with k: only the words are wrong.
func sealed(k *Key, head, payload string) string {
	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(head)) + "." + enc.EncodeToString([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	der, err := k.private.Sign(rand.Reader, digest[:], nil)
	if err != nil {
		panic(err)
	}
	return input + "." + enc.EncodeToString(fixed(der))
}

func sealedProof(k *Key, p proof) string {
	raw, err := base64.RawURLEncoding.DecodeString(p.encode())
	if err != nil {
		panic(err)
	}
	return sealed(k, `{"alg":"ES256","typ":"tegata-proof+jwt"}`, string(raw))
}

// fixed turns SEQUENCE { INTEGER r, INTEGER s } into r and s of 32 bytes.
func fixed(der []byte) []byte {
	out := make([]byte, 64)
	r := der[4 : 4+der[3]]
	s := der[6+der[3]:]
	copyRight := func(dst, src []byte) {
		for len(src) > 32 {
			src = src[1:]
		}
		copy(dst[32-len(src):], src)
	}
	copyRight(out[:32], r)
	copyRight(out[32:], s)
	return out
}

func TestAProofProvesItsCallAndNoOther(t *testing.T) {
	k, other := mustKey(t), mustKey(t)
	body := []byte(`{"login":"x"}`)
	public, otherPublic := k.Public(), other.Public()
	good := mustProve(t, k, resultURL, body, false)
	parts := strings.Split(good, ".")
	const head = `{"alg":"ES256","typ":"tegata-proof+jwt"}`
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	changed := func(old, new string) string { return sealed(k, head, strings.Replace(string(payload), old, new, 1)) }
	tests := []struct {
		name   string
		header string
		key    *PublicKey
		method string
		url    string
		body   string
		at     time.Duration
		ok     bool
	}{
		{name: "the very call", ok: true},
		{name: "60 s later", at: 60 * time.Second, ok: true},
		{name: "60 s earlier", at: -60 * time.Second, ok: true},
		{name: "a hand-made proof of the same words", header: sealed(k, head, string(payload)), ok: true},
		{name: "61 s later", at: 61 * time.Second},
		{name: "61 s earlier", at: -61 * time.Second},
		{name: "another body", body: `{"login":"y"}`},
		{name: "a longer body", body: string(body) + " "},
		{name: "another method", method: "PUT"},
		{name: "another endpoint", url: "https://id.example" + CancelPath},
		{name: "another provider", url: "https://evil.example" + ResultPath},
		{name: "a URL with a query", url: resultURL + "?x"},
		{name: "another key", key: &otherPublic},
		{name: "signed by another key", header: mustProve(t, other, resultURL, body, false)},
		{name: "a proof made for claim", header: mustProve(t, k, resultURL, body, true)},
		{name: "another's key in a claim header", header: mustProve(t, other, resultURL, body, true)},
		{name: "no proof", header: "-"},
		{name: "two dots", header: ".."},
		{name: "alg none", header: sealed(k, `{"alg":"none","typ":"tegata-proof+jwt"}`, string(payload))},
		{name: "alg none without signature", header: base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"tegata-proof+jwt"}`)) + "." + parts[1] + "."},
		{name: "alg ES384", header: sealed(k, `{"alg":"ES384","typ":"tegata-proof+jwt"}`, string(payload))},
		{name: "typ of DPoP", header: sealed(k, `{"alg":"ES256","typ":"dpop+jwt"}`, string(payload))},
		{name: "typ of a statement", header: sealed(k, `{"alg":"ES256","typ":"`+statement.LoginType+`"}`, string(payload))},
		{name: "a header more", header: sealed(k, `{"alg":"ES256","typ":"tegata-proof+jwt","kid":"1"}`, string(payload))},
		{name: "a space in the header", header: sealed(k, head+" ", string(payload))},
		{name: "a space in the payload", header: sealed(k, head, string(payload)+" ")},
		{name: "a member more", header: changed(`{`, `{"admin":true,`)},
		{name: "a member twice", header: changed(`{`, `{"iat":1,`)},
		{name: "a jti of one byte", header: sealedProof(k, proof{"POST", resultURL, now.Unix(), "AA", statement.Hash(body)})},
		{name: "a jti that is not base64url", header: sealedProof(k, proof{"POST", resultURL, now.Unix(), "*", statement.Hash(body)})},
		{name: "no jti", header: changed(`"jti"`, `"jtj"`)},
		{name: "iat as a string", header: changed(`"iat":1782874800`, `"iat":"1782874800"`)},
		{name: "payload an array", header: sealed(k, head, `[]`)},
		{name: "payload no JSON", header: sealed(k, head, `nope`)},
		{name: "payload with padding", header: parts[0] + "." + parts[1] + "=." + parts[2]},
		{name: "payload with a line break", header: parts[0] + ".\n" + parts[1] + "." + parts[2]},
		{name: "no signature", header: parts[0] + "." + parts[1] + "."},
		{name: "a signature of zeros", header: parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))},
		{name: "a signature in DER", header: parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(derSignature(k, parts[0]+"."+parts[1]))},
		{name: "a signature with a line break", header: good[:len(good)-4] + "\n" + good[len(good)-4:]},
		{name: "a fourth part", header: good + ".e30"},
		{name: "a megabyte", header: good + strings.Repeat("A", 1<<20)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			header, key, method, url, sent := or(tt.header, good), tt.key, or(tt.method, "POST"), or(tt.url, resultURL), or(tt.body, string(body))
			if key == nil {
				key = &public
			}
			got, err := CheckProof(header, *key, method, url, []byte(sent), now.Add(tt.at))
			if tt.ok && (err != nil || got != public.Thumbprint()) {
				t.Errorf("CheckProof = %q, %v", got, err)
			}
			if !tt.ok && (!errors.Is(err, fail.ProofInvalid) || got != "") {
				t.Errorf("CheckProof = %q, %v", got, err)
			}
		})
	}
}

func or(s, usual string) string {
	if s == "" {
		return usual
	}
	return s
}

func derSignature(k *Key, input string) []byte {
	digest := sha256.Sum256([]byte(input))
	der, err := k.private.Sign(rand.Reader, digest[:], nil)
	if err != nil {
		panic(err)
	}
	return der
}

func TestAClaimIntroducesTheKeyOfItsBody(t *testing.T) {
	k, other := mustKey(t), mustKey(t)
	url := "https://id.example" + ClaimPath
	if got, err := CheckClaim(mustProve(t, k, url, claimBody(k), true), "POST", url, claimBody(k), now); err != nil || got.Key != k.Public() {
		t.Errorf("an honest claim: %v, %v", got, err)
	}
	bent := k.Public()
	bent.Y = bent.X
	off, _ := json.Marshal(ClaimRequest{Ticket: goodTicket, Key: bent, Version: "1"})
	p384, _ := json.Marshal(ClaimRequest{Ticket: goodTicket, Key: PublicKey{"EC", "P-384", k.public.X, k.public.Y}, Version: "1"})
	for name, c := range map[string]struct {
		header string
		body   []byte
		want   *fail.Error
	}{
		"the header's key is not the body's":   {mustProve(t, other, url, claimBody(k), true), claimBody(k), fail.ProofInvalid},
		"no key in the header":                 {mustProve(t, k, url, claimBody(k), false), claimBody(k), fail.ProofInvalid},
		"the body's key was exchanged":         {mustProve(t, k, url, claimBody(k), true), claimBody(other), fail.ProofInvalid},
		"a point that is not on the curve":     {mustProve(t, k, url, off, true), off, fail.ProofInvalid},
		"a curve that is not P-256":            {mustProve(t, k, url, p384, true), p384, fail.ProofInvalid},
		"a body that is not a claim":           {mustProve(t, k, url, []byte(`{"login":"x"}`), true), []byte(`{"login":"x"}`), fail.BadInput},
		"a body that is a claim and something": {mustProve(t, k, url, append(claimBody(k), '1'), true), append(claimBody(k), '1'), fail.BadInput},
	} {
		if got, err := CheckClaim(c.header, "POST", url, c.body, now); !errors.Is(err, c.want) || got != (ClaimRequest{}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// go-jose, which shares no code with us here, agrees on the proof, the key and its thumbprint.
func TestAnotherLibraryReadsProofAndKey(t *testing.T) {
	k := mustKey(t)
	url := "https://id.example" + ClaimPath
	jws, err := jose.ParseSignedCompact(mustProve(t, k, url, claimBody(k), true), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	jwk := jws.Signatures[0].Protected.JSONWebKey
	if _, err := jws.Verify(jwk); err != nil {
		t.Error(err)
	}
	var own jose.JSONWebKey
	if err := own.UnmarshalJSON(k.Public().JWK()); err != nil || !k.private.PublicKey.Equal(own.Key) {
		t.Errorf("JWK: %v", err)
	}
	sum, err := jwk.Thumbprint(5) // crypto.SHA256
	if err != nil || base64.RawURLEncoding.EncodeToString(sum) != k.Public().Thumbprint() {
		t.Errorf("thumbprint %x, %v", sum, err)
	}
}

func TestKeysAreReadStrictly(t *testing.T) {
	k := mustKey(t).Public()
	if got, err := ParseKey(k.JWK()); err != nil || got != k {
		t.Errorf("ParseKey = %+v, %v", got, err)
	}
	if fromWire, err := json.Marshal(k); err != nil || string(fromWire) != string(k.JWK()) {
		t.Errorf("JWK %s differs from the wire's %s", k.JWK(), fromWire)
	}
	good := string(k.JWK())
	for name, jwk := range map[string]string{
		"RSA":                   `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"P-384":                 strings.Replace(good, "P-256", "P-384", 1),
		"another kty":           strings.Replace(good, `"EC"`, `"OKP"`, 1),
		"a private key":         good[:len(good)-1] + `,"d":"AAAA"}`,
		"a certificate in it":   good[:len(good)-1] + `,"x5c":[]}`,
		"no y":                  `{"kty":"EC","crv":"P-256","x":"` + k.X + `"}`,
		"a short x":             strings.Replace(good, k.X, k.X[:42], 1),
		"a padded x":            strings.Replace(good, k.X, k.X+"=", 1),
		"y off the curve":       strings.Replace(good, k.Y, k.X, 1),
		"the point at infinity": `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`,
		"nothing":               "",
	} {
		if got, err := ParseKey([]byte(jwk)); !errors.Is(err, fail.BadInput) || got != (PublicKey{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// stuck is a source of randomness that is broken.
type stuck struct{}

func (stuck) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestBrokenRandomnessMakesNoKeyAndNoProof(t *testing.T) {
	if _, err := NewKey(stuck{}); !errors.Is(err, fail.Internal) {
		t.Errorf("NewKey from zeros: %v", err)
	}
	if _, err := NewKey(strings.NewReader("short")); !errors.Is(err, fail.Internal) {
		t.Errorf("NewKey from too little: %v", err)
	}
	if _, err := mustKey(t).Prove("POST", resultURL, nil, false, now, strings.NewReader("short")); !errors.Is(err, fail.Internal) {
		t.Errorf("Prove from too little: %v", err)
	}
}

func FuzzCheckProof(f *testing.F) {
	k := mustKey(f)
	public := k.Public()
	body := []byte(`{}`)
	f.Add(mustProve(f, k, resultURL, body, false), body, false)
	f.Add(mustProve(f, k, resultURL, claimBody(k), true), claimBody(k), true)
	f.Add("..", body, false)
	f.Add("", []byte(nil), true)
	f.Fuzz(func(t *testing.T, header string, body []byte, claim bool) {
		thumbprint, err := CheckProof(header, public, "POST", resultURL, body, now)
		if claim {
			_, err = CheckClaim(header, "POST", resultURL, body, now)
		}
		if err != nil {
			return
		}
		// Accepted means: this key, over this body, in the one spelling.
		parts := strings.Split(header, ".")
		raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
		if !claim && thumbprint != public.Thumbprint() || !strings.Contains(string(raw), statement.Hash(body)) {
			t.Fatalf("accepted %q for %q", header, body)
		}
	})
}
