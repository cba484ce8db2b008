package statement

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tegata/authn/fail"
)

var b64 = base64.RawURLEncoding

// forge joins a header and a payload and signs them honestly: only the form is wrong.
func forge(who identity, header string, payload []byte) string {
	return forgeInput(who, b64.EncodeToString([]byte(header))+"."+b64.EncodeToString(payload))
}

func forgeInput(who identity, input string) string {
	return input + "." + b64.EncodeToString(rawSignature(who, input))
}

func rawSignature(who identity, input string) []byte {
	alg, _ := algorithmOf(who.key.Public())
	if alg.hash == 0 {
		alg.hash = crypto.SHA256
	}
	h := alg.hash.New()
	h.Write([]byte(input))
	sig, err := who.key.Sign(rand.Reader, h.Sum(nil), alg.hash)
	if err != nil {
		panic(err)
	}
	if alg.size > 0 {
		sig, _ = fixedSize(sig, alg.size)
	}
	return sig
}

// crafted returns statements that each break one rule; none may be accepted.
func crafted() map[string]string {
	p := people()
	rsaKey, ec := p["rsa"], p["p256"]
	payload := example().Bytes()
	leaf := base64.StdEncoding.EncodeToString(rsaKey.der)
	ecLeaf := base64.StdEncoding.EncodeToString(ec.der)
	good := fmt.Sprintf(`{"alg":"RS256","typ":"tegata-login+jwt","x5c":["%s"]}`, leaf)
	goodEC := fmt.Sprintf(`{"alg":"ES256","typ":"tegata-login+jwt","x5c":["%s"]}`, ecLeaf)
	with := func(member string) string { return good[:len(good)-1] + "," + member + "}" }
	alg := func(a string) string { return strings.Replace(good, "RS256", a, 1) }
	valid := forge(rsaKey, good, payload)
	parts := strings.Split(valid, ".")
	validEC := strings.Split(forge(ec, goodEC, payload), ".")
	jwk := `{"kty":"RSA","n":"` + b64.EncodeToString(rsaKey.key.Public().(*rsa.PublicKey).N.Bytes()) + `","e":"AQAB"}`

	out := map[string]string{
		"alg none without signature":          b64.EncodeToString([]byte(alg("none"))) + "." + parts[1] + ".",
		"alg none with a signature":           forge(rsaKey, alg("none"), payload),
		"alg None":                            forge(rsaKey, alg("None"), payload),
		"alg empty":                           forge(rsaKey, alg(""), payload),
		"alg missing":                         forge(rsaKey, strings.Replace(good, `"alg":"RS256",`, "", 1), payload),
		"alg null":                            forge(rsaKey, strings.Replace(good, `"RS256"`, "null", 1), payload),
		"alg RS384":                           forge(rsaKey, alg("RS384"), payload),
		"alg RS512":                           forge(rsaKey, alg("RS512"), payload),
		"alg RS1":                             forge(rsaKey, alg("RS1"), payload),
		"alg PS256 as named":                  pss(rsaKey, alg("PS256"), payload),
		"PSS under RS256":                     pss(rsaKey, good, payload),
		"alg ES256 with an RSA key":           forge(rsaKey, alg("ES256"), payload),
		"alg RS256 with an EC key":            forge(ec, strings.Replace(goodEC, "ES256", "RS256", 1), payload),
		"alg ES384 with a P-256 key":          forge(ec, strings.Replace(goodEC, "ES256", "ES384", 1), payload),
		"alg twice, good one last":            forge(rsaKey, strings.Replace(good, `"alg":`, `"alg":"none","alg":`, 1), payload),
		"alg twice, good one first":           forge(rsaKey, with(`"alg":"none"`), payload),
		"ALG besides alg":                     forge(rsaKey, with(`"ALG":"RS256"`), payload),
		"ALG in place of alg":                 forge(rsaKey, strings.Replace(good, `"alg"`, `"ALG"`, 1), payload),
		"typ of the other statement":          forge(rsaKey, strings.Replace(good, LoginType, AttributesType, 1), payload),
		"typ JWT":                             forge(rsaKey, strings.Replace(good, LoginType, "JWT", 1), payload),
		"typ in capitals":                     forge(rsaKey, strings.Replace(good, LoginType, strings.ToUpper(LoginType), 1), payload),
		"typ with application/":               forge(rsaKey, strings.Replace(good, LoginType, "application/"+LoginType, 1), payload),
		"typ missing":                         forge(rsaKey, strings.Replace(good, `"typ":"tegata-login+jwt",`, "", 1), payload),
		"typ twice":                           forge(rsaKey, with(`"typ":"tegata-login+jwt"`), payload),
		"a jku header":                        forge(rsaKey, with(`"jku":"https://evil.example/keys"`), payload),
		"an x5u header":                       forge(rsaKey, with(`"x5u":"https://evil.example/cert"`), payload),
		"a jwk header":                        forge(rsaKey, with(`"jwk":`+jwk), payload),
		"a kid header":                        forge(rsaKey, with(`"kid":"../../etc/passwd"`), payload),
		"a crit header":                       forge(rsaKey, with(`"crit":["exp"]`), payload),
		"an empty crit header":                forge(rsaKey, with(`"crit":[]`), payload),
		"b64 false":                           forge(rsaKey, with(`"b64":false,"crit":["b64"]`), payload),
		"a cty header":                        forge(rsaKey, with(`"cty":"JWT"`), payload),
		"a zip header":                        forge(rsaKey, with(`"zip":"DEF"`), payload),
		"an x5t header":                       forge(rsaKey, with(`"x5t#S256":"`+Hash(rsaKey.der)+`"`), payload),
		"members in another order":            forge(rsaKey, fmt.Sprintf(`{"typ":"tegata-login+jwt","alg":"RS256","x5c":["%s"]}`, leaf), payload),
		"white space in the header":           forge(rsaKey, strings.Replace(good, ",", ", ", 1), payload),
		"a line end after the header":         forge(rsaKey, good+"\n", payload),
		"a second object after the header":    forge(rsaKey, good+"{}", payload),
		"an escaped letter in a name":         forge(rsaKey, strings.Replace(good, `"x5c"`, `"\u00785c"`, 1), payload),
		"an escaped letter in a value":        forge(rsaKey, strings.Replace(good, `"RS256"`, `"\u0052S256"`, 1), payload),
		"an escaped plus in typ":              forge(rsaKey, strings.Replace(good, `login+jwt`, `login\u002bjwt`, 1), payload),
		"header an array":                     forge(rsaKey, "["+good+"]", payload),
		"header null":                         forge(rsaKey, "null", payload),
		"header empty":                        forge(rsaKey, "", payload),
		"no certificate":                      forge(rsaKey, `{"alg":"RS256","typ":"tegata-login+jwt"}`, payload),
		"an empty list of certificates":       forge(rsaKey, `{"alg":"RS256","typ":"tegata-login+jwt","x5c":[]}`, payload),
		"two certificates":                    forge(rsaKey, strings.Replace(good, `"]`, `","`+leaf+`"]`, 1), payload),
		"x5c a string":                        forge(rsaKey, strings.Replace(good, `["`+leaf+`"]`, `"`+leaf+`"`, 1), payload),
		"x5c twice":                           forge(rsaKey, with(`"x5c":["`+leaf+`"]`), payload),
		"x5c twice, another's first":          forge(rsaKey, strings.Replace(good, `"x5c":`, `"x5c":["`+ecLeaf+`"],"x5c":`, 1), payload),
		"certificate in base64url":            forge(rsaKey, strings.Replace(good, leaf, base64.URLEncoding.EncodeToString(rsaKey.der)+"_", 1), payload),
		"certificate with line breaks":        forge(rsaKey, strings.Replace(good, leaf, leaf[:64]+`\r\n`+leaf[64:], 1), payload),
		"certificate in PEM":                  forge(rsaKey, strings.Replace(good, leaf, strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rsaKey.der})), "\n", `\n`), 1), payload),
		"certificate with bare line breaks":   forge(rsaKey, strings.Replace(good, leaf, leaf[:64]+"\r\n"+leaf[64:], 1), payload),
		"certificate with leftover bits":      forge(rsaKey, strings.Replace(good, leaf, loose(rsaKey.der), 1), payload),
		"text before x5c":                     forge(rsaKey, strings.Replace(good, `"x5c"`, ` "x5c"`, 1), payload),
		"certificate with filler after it":    forge(rsaKey, strings.Replace(good, leaf, base64.StdEncoding.EncodeToString(append(rsaKey.der[:len(rsaKey.der):len(rsaKey.der)], 0)), 1), payload),
		"certificate cut short":               forge(rsaKey, strings.Replace(good, leaf, leaf[:400], 1), payload),
		"certificate empty":                   forge(rsaKey, strings.Replace(good, leaf, "", 1), payload),
		"another person's certificate":        forge(rsaKey, strings.Replace(good, leaf, base64.StdEncoding.EncodeToString(p["other"].der), 1), payload),
		"RSA of 1024 bit":                     forge(p["small"], strings.Replace(good, leaf, base64.StdEncoding.EncodeToString(p["small"].der), 1), payload),
		"P-521 with ES512":                    forge(p["p521"], fmt.Sprintf(`{"alg":"ES512","typ":"tegata-login+jwt","x5c":["%s"]}`, base64.StdEncoding.EncodeToString(p["p521"].der)), payload),
		"HS256 keyed with the DER key":        hs256(rsaKey, alg("HS256"), payload, false),
		"HS256 keyed with the PEM key":        hs256(rsaKey, alg("HS256"), payload, true),
		"HS256 with the header of RS256":      hs256(rsaKey, good, payload, true),
		"one bit of the payload changed":      parts[0] + "." + b64.EncodeToString(append([]byte("["), payload[1:]...)) + "." + parts[2],
		"signature missing":                   parts[0] + "." + parts[1] + ".",
		"signature cut short":                 parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-4],
		"signature with a byte more":          parts[0] + "." + parts[1] + "." + b64.EncodeToString(append(decode(parts[2]), 0)),
		"signature with a zero in front":      parts[0] + "." + parts[1] + "." + b64.EncodeToString(append([]byte{0}, decode(parts[2])...)),
		"signature of zeros":                  parts[0] + "." + parts[1] + "." + b64.EncodeToString(make([]byte, 256)),
		"ES256 signature in DER":              validEC[0] + "." + validEC[1] + "." + b64.EncodeToString(asn1Signature(ec, validEC[0]+"."+validEC[1])),
		"ES256 signature of zeros":            validEC[0] + "." + validEC[1] + "." + b64.EncodeToString(make([]byte, 64)),
		"ES256 signature with 33-byte halves": validEC[0] + "." + validEC[1] + "." + b64.EncodeToString(widened(decode(validEC[2]))),
		"padding after the header":            forgeInput(rsaKey, parts[0]+"=."+parts[1]),
		"padding after the payload":           forgeInput(rsaKey, parts[0]+"."+parts[1]+"=="),
		"padding after the signature":         valid + "==",
		"standard base64 in the signature":    parts[0] + "." + parts[1] + "." + base64.RawStdEncoding.EncodeToString(decode(parts[2])) + "+/",
		"a line break in the header":          forgeInput(rsaKey, parts[0][:8]+"\n"+parts[0][8:]+"."+parts[1]),
		"a line break in the payload":         forgeInput(rsaKey, parts[0]+"."+parts[1][:8]+"\r\n"+parts[1][8:]),
		"a line break in the signature":       valid[:len(valid)-8] + "\n" + valid[len(valid)-8:],
		"a space in front":                    " " + valid,
		"a line end behind":                   valid + "\n",
		"leftover bits in the signature":      valid[:len(valid)-1] + leftover(valid[len(valid)-1]),
		"a fourth part":                       valid + ".e30",
		"five parts, as if encrypted":         valid + ".e30.e30",
		"two parts":                           parts[0] + "." + parts[1],
		"one part":                            parts[0],
		"nothing":                             "",
		"two dots":                            "..",
		"the JSON serialization":              `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"more than 16 KiB":                    forge(rsaKey, good, make([]byte, MaxSize)),
	}
	return out
}

// leftover gives the neighbour of a final character: it decodes to the same bytes when bits are left over.
func leftover(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)|1])
}

func decode(s string) []byte {
	b, err := b64.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func widened(sig []byte) []byte {
	return append(append([]byte{0}, sig[:32]...), append([]byte{0}, sig[32:]...)...)
}

func pss(who identity, header string, payload []byte) string {
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPSS(rand.Reader, who.key.(*rsa.PrivateKey), crypto.SHA256, digest[:], nil)
	if err != nil {
		panic(err)
	}
	return input + "." + b64.EncodeToString(sig)
}

func asn1Signature(who identity, input string) []byte {
	digest := sha256.Sum256([]byte(input))
	sig, err := ecdsa.SignASN1(rand.Reader, who.key.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		panic(err)
	}
	return sig
}

func hs256(who identity, header string, payload []byte, armour bool) string {
	key, _ := x509.MarshalPKIXPublicKey(who.key.Public())
	if armour {
		key = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key})
	}
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + b64.EncodeToString(mac.Sum(nil))
}

func TestNoCraftedStatementIsAccepted(t *testing.T) {
	for name, compact := range crafted() {
		t.Run(name, func(t *testing.T) {
			if opened, err := Open(compact, LoginType); !errors.Is(err, fail.SignatureInvalid) || opened.Leaf != nil {
				t.Errorf("Open = %+v, %v", opened, err)
			}
		})
	}
}

// loose is base64 whose last sign has bits that mean nothing.
func loose(der []byte) string {
	padded := base64.StdEncoding.EncodeToString(der)
	if !strings.HasSuffix(padded, "=") {
		panic("a certificate without a loose end: make another")
	}
	last := strings.TrimRight(padded, "=")
	return last[:len(last)-1] + string(last[len(last)-1]+1) + padded[len(last):]
}

// The forgers sign honestly: with the right header their work is accepted, so it is the form that is refused above.
func TestForgeriesFailForTheirFormAlone(t *testing.T) {
	for _, name := range []string{"rsa", "p256", "p384"} {
		who := people()[name]
		alg, _ := algorithmOf(who.key.Public())
		header := fmt.Sprintf(`{"alg":"%s","typ":"tegata-login+jwt","x5c":["%s"]}`, alg.name, base64.StdEncoding.EncodeToString(who.der))
		if _, err := Open(forge(who, header, example().Bytes()), LoginType); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	who := people()["p256"]
	good, err := Sign(who.key, who.der, LoginType, example().Bytes())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, compact := range crafted() {
		f.Add(compact)
	}
	f.Fuzz(func(t *testing.T, compact string) {
		opened, err := Open(compact, LoginType)
		if err != nil {
			return
		}
		// Whatever is accepted is spelled in the one way, with a header of three members.
		parts := strings.Split(compact, ".")
		var members map[string]any
		if err := json.Unmarshal(decode(parts[0]), &members); err != nil || len(members) != 3 {
			t.Fatalf("accepted the header %q", decode(parts[0]))
		}
		alg, _ := algorithmOf(opened.Leaf.PublicKey)
		if string(headerBytes(alg, LoginType, opened.Leaf.Raw)) != string(decode(parts[0])) {
			t.Fatalf("accepted the header %q", decode(parts[0]))
		}
		if b64.EncodeToString(opened.Payload) != parts[1] || opened.Compact != compact {
			t.Fatal("accepted a second spelling")
		}
	})
}
