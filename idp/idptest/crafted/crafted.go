// Package crafted makes JSON Web Tokens that every reader has to refuse, each with one named defect and, wherever one is
// possible, the right key's own signature, so that only the defect speaks. It owns what is wrong with a token whatever it
// is for. It refuses to know who reads it, and what its claims should say.
package crafted

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
)

// Members are those of a JSON object.
type Members = map[string]any

// Mold is what good tokens of one kind look like.
type Mold struct {
	Header Members           // as it should be, alg ES256
	Claims func() Members    // as they should be; a new jti every time, so that a refusal is never one of a replay
	Key    *ecdsa.PrivateKey // on P-256, that of the right signer
	Types  map[string]bool   // which of the foreign types are right here; see types
	Keyed  bool              // the header carries the key, so a kid says nothing
}

// Good is a token without a defect.
func (m Mold) Good() string { return m.of(text(m.Header), text(m.Claims())) }

// of signs a header and a payload as they are.
func (m Mold) of(header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(es256(m.Key, input)))
}

// head is a token with other header members; nil takes one away.
func (m Mold) head(name string, value any) string {
	return m.of(text(with(m.Header, name, value)), text(m.Claims()))
}

// rawHead is a token whose header begins with some members written by hand, in place of those named.
func (m Mold) rawHead(members string, instead ...string) string {
	return m.of(before(m.Header, members, instead), text(m.Claims()))
}

// claim is a token whose claims begin with some members written by hand, in place of those named.
func (m Mold) claim(members string, instead ...string) string {
	return m.of(text(m.Header), before(m.Claims(), members, instead))
}

func (m Mold) payload(p string) string { return m.of(text(m.Header), p) }

// Tokens are the crafted ones by their defects.
func (m Mold) Tokens() map[string]string {
	all := map[string]string{}
	for _, some := range []map[string]string{m.forms(), m.algorithms(), m.headers(), m.types(), m.payloads(), m.signatures()} {
		maps.Copy(all, some)
	}
	return all
}

func (m Mold) forms() map[string]string {
	good := m.Good()
	p := strings.Split(good, ".")
	return map[string]string{
		"no token at all":                    "x",
		"two parts":                          p[0] + "." + p[1],
		"four parts":                         good + ".",
		"five parts, as of an encrypted one": good + "..",
		"padding":                            good + "=",
		"something behind it":                good + "AAAA",
		"the other base64":                   p[0] + "." + p[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(p[2]) + "+/",
		"another spelling of the same bytes": respell(good),
		"a line break":                       p[0] + ".\n" + p[1] + "." + p[2],
		"a space":                            p[0] + ". " + p[1] + "." + p[2],
		"more than anybody writes":           m.claim(`"note":"` + strings.Repeat("x", 17<<10) + `"`),
		"JSON instead of compact":            `{"payload":"` + p[1] + `","protected":"` + p[0] + `","signature":"` + p[2] + `"}`,
	}
}

func (m Mold) algorithms() map[string]string {
	_, body, _ := strings.Cut(m.Good(), ".")
	_, signature, _ := strings.Cut(body, ".")
	unsigned := func(alg, signature string) string {
		return b64(text(with(m.Header, "alg", alg))) + "." + b64(text(m.Claims())) + "." + signature
	}
	all := map[string]string{
		"alg none":                             unsigned("none", ""),
		"alg none with a signature":            unsigned("none", signature),
		"alg NoNe":                             unsigned("NoNe", ""),
		"no signature":                         unsigned("ES256", ""),
		"no alg":                               m.head("alg", nil),
		"alg in lower case":                    m.head("alg", "es256"),
		"alg by another member":                m.rawHead(`"ALG":"ES256"`, "alg"),
		"alg is a list":                        m.head("alg", []string{"ES256"}),
		"alg is null":                          m.rawHead(`"alg":null`, "alg"),
		"alg twice":                            m.rawHead(`"alg":"none"`),
		"alg twice, once spelled out":          m.rawHead(`"\u0061lg":"none"`),
		"ES384 over a key of P-256":            m.head("alg", "ES384"),
		"ES512 over a key of P-256":            m.head("alg", "ES512"),
		"ES256K":                               m.head("alg", "ES256K"),
		"RS256 over a key of P-256":            m.head("alg", "RS256"),
		"PS256 over a key of P-256":            m.head("alg", "PS256"),
		"EdDSA over a key of P-256":            m.head("alg", "EdDSA"),
		"Ed25519 over a key of P-256":          m.head("alg", "Ed25519"),
		"ES256 by a key of P-384":              m.byP384(false),
		"ES256 by a key of P-384 with SHA-384": m.byP384(true),
	}
	for name, secret := range m.publicKey() {
		for _, alg := range []string{"HS256", "ES256"} {
			input := b64(text(with(m.Header, "alg", alg))) + "." + b64(text(m.Claims()))
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(input))
			all["HMAC with the public key as "+name+", called "+alg] = input + "." + b64(string(mac.Sum(nil)))
		}
	}
	return all
}

// publicKey spells the public key in the ways in which it was ever mistaken for a shared secret.
func (m Mold) publicKey() map[string][]byte {
	der, err := x509.MarshalPKIXPublicKey(m.Key.Public())
	if err != nil {
		panic(err) // a key that cannot be
	}
	point, err := m.Key.PublicKey.Bytes()
	if err != nil {
		panic(err) // likewise
	}
	return map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "a point": point}
}

// types that say that a token is for something else.
func (m Mold) types() map[string]string {
	all := map[string]string{"a type that is a number": m.head("typ", 1), "a type that is a list": m.head("typ", []string{"JWT"}), "a type of null": m.rawHead(`"typ":null`, "typ")}
	for _, typ := range []string{"at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "client-authentication+jwt", "token-introspection+jwt", "JOSE", "secevent+jwt"} {
		if !m.Types[typ] {
			all["the type "+typ] = m.head("typ", typ)
		}
	}
	return all
}

func (m Mold) headers() map[string]string {
	all := map[string]string{
		"crit":                    m.head("crit", []string{"exp"}),
		"an empty crit":           m.head("crit", []string{}),
		"an unencoded payload":    m.head("b64", false),
		"the same, critical":      m.rawHead(`"crit":["b64"],"b64":false`),
		"an encoded payload":      m.head("b64", true),
		"jku":                     m.head("jku", "https://evil.example/keys"),
		"x5u":                     m.head("x5u", "https://evil.example/cert"),
		"x5c":                     m.head("x5c", []string{"AAAA"}),
		"compression":             m.head("zip", "DEF"),
		"encryption":              m.head("enc", "A256GCM"),
		"a nested token":          m.head("cty", "JWT"),
		"a kid that is a number":  m.head("kid", 1),
		"a kid of null":           m.rawHead(`"kid":null`, "kid"),
		"an empty kid":            m.head("kid", ""),
		"a kid without end":       m.head("kid", strings.Repeat("k", 257)),
		"a member twice":          m.rawHead(`"note":1,"note":2`),
		"a header that is a list": m.of(`[`+text(m.Header)+`]`, text(m.Claims())),
		"a header that is null":   m.of(`null`, text(m.Claims())),
		"an empty header":         m.of(``, text(m.Claims())),
		"two headers":             m.of(text(m.Header)+text(m.Header), text(m.Claims())),
	}
	if !m.Keyed {
		all["its own key"] = m.head("jwk", JWK(NewKey()))
		all["another kid"] = m.head("kid", "other")
		all["a kid that is a path"] = m.head("kid", "../../../../dev/null")
	}
	return all
}

func (m Mold) payloads() map[string]string {
	body := text(m.Claims())
	return map[string]string{
		"a payload of null":              m.payload(`null`),
		"a payload that is a list":       m.payload(`[` + body + `]`),
		"a payload that is a text":       m.payload(`"x"`),
		"a payload that is a number":     m.payload(`1`),
		"an empty payload":               m.payload(``),
		"an empty object":                m.payload(`{}`),
		"two objects":                    m.payload(body + body),
		"a brace too many":               m.payload(body + `}`),
		"a brace too few":                m.payload(body[:len(body)-1]),
		"a comment":                      m.payload(body + `//`),
		"broken UTF-8":                   m.claim("\"note\":\"\xff\""),
		"a claim twice":                  m.claim(`"note":1,"note":2`),
		"a claim twice, deeper":          m.claim(`"note":{"a":1,"a":2}`),
		"a claim twice, spelled out":     m.claim(`"note":1,"\u006eote":2`),
		"a claim of null":                m.claim(`"note":null`),
		"nesting without end":            m.claim(`"note":` + strings.Repeat("[", 500) + strings.Repeat("]", 500)),
		"an iss that is a number":        m.claim(`"iss":1`, "iss"),
		"a sub that is a list":           m.claim(`"sub":["x"]`, "sub"),
		"a jti without end":              m.claim(`"jti":"`+strings.Repeat("1", 257)+`"`, "jti"),
		"an audience that is a number":   m.claim(`"aud":1`, "aud"),
		"an audience of numbers":         m.claim(`"aud":[1]`, "aud"),
		"an audience with a null":        m.claim(`"aud":["https://id.example",null]`, "aud"),
		"an audience that is an object":  m.claim(`"aud":{"a":"b"}`, "aud"),
		"an audience of lists":           m.claim(`"aud":[["https://id.example"]]`, "aud"),
		"an exp that is a text":          m.claim(`"exp":"4102444800"`, "exp"),
		"an exp beyond all time":         m.claim(`"exp":1e99`, "exp"),
		"an exp that no number can be":   m.claim(`"exp":1e999`, "exp"),
		"an exp of three hundred digits": m.claim(`"exp":1`+strings.Repeat("0", 300), "exp"),
		"a negative exp":                 m.claim(`"exp":-1`, "exp"),
		"an iat that is a list":          m.claim(`"iat":[1]`, "iat"),
		"an iat beyond all time":         m.claim(`"iat":1e99`, "iat"),
		"an nbf that is true":            m.claim(`"nbf":true`, "nbf"),
	}
}

func (m Mold) signatures() map[string]string {
	good := m.Good()
	p := strings.Split(good, ".")
	signed := func(signature []byte) string { return p[0] + "." + p[1] + "." + b64(string(signature)) }
	right, err := base64.RawURLEncoding.DecodeString(p[2])
	if err != nil {
		panic(err) // of our own making
	}
	stranger := m
	stranger.Key = NewKey()
	return map[string]string{
		"zeros for a signature":                 signed(make([]byte, 64)),
		"a signature of r = 0":                  signed(append(make([]byte, 32), right[32:]...)),
		"a signature of s = 0":                  signed(append(right[:32:32], make([]byte, 32)...)),
		"the group's order for r and s":         signed(append(m.order(), m.order()...)),
		"a signature with its halves exchanged": signed(append(right[32:64:64], right[:32]...)),
		"a cut signature":                       signed(right[:63]),
		"a longer signature":                    signed(append(right[:64:64], 0)),
		"a signature in ASN.1":                  signed(asn1(m.Key, p[0]+"."+p[1])),
		"another's signature":                   stranger.Good(),
		"the signature of another token":        p[0] + "." + p[1] + "." + strings.Split(m.claim(`"note":1`), ".")[2],
		"an altered header":                     b64(text(m.Header)+" ") + "." + p[1] + "." + p[2],
		"an altered payload":                    p[0] + "." + b64(text(with(m.Claims(), "note", "x"))) + "." + p[2],
	}
}

// text is a value as JSON, members in the order of their names.
func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // what these tokens hold can be marshalled
	}
	return string(raw)
}

// with is a copy with another value for one member, without it for nil.
func with(all Members, name string, value any) Members {
	out := maps.Clone(all)
	if out[name] = value; value == nil {
		delete(out, name)
	}
	return out
}

// before is the object as JSON with members written by hand in front, without those that they stand for.
func before(all Members, members string, instead []string) string {
	rest := maps.Clone(all)
	for _, name := range instead {
		delete(rest, name)
	}
	if len(rest) == 0 {
		return "{" + members + "}"
	}
	return "{" + members + "," + text(rest)[1:]
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// respell sets an unused bit of the last character of the signature (64 bytes leave four of them).
func respell(compact string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, compact[len(compact)-1])
	return compact[:len(compact)-1] + string(alphabet[last|1])
}
