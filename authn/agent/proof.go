package agent

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"time"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

// ProofHeader carries the proof of possession of the agent's key.
const ProofHeader = "Tegata-Proof"

const (
	proofType   = "tegata-proof+jwt"
	proofWindow = 60 // seconds between iat and the provider's clock, either way
	maxProof    = 2048
	jtiSize     = 16
)

// proof is the payload, close to DPoP's (RFC 9449 4.2) with the hash of the body besides: a proof is good
// for one body only, so what it protects cannot be altered by whoever relays the call.
type proof struct {
	Htm  string `json:"htm"`
	Htu  string `json:"htu"`
	Iat  int64  `json:"iat"`
	Jti  string `json:"jti"`
	Body string `json:"body"`
}

func (p proof) encode() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic("agent: strings and numbers did not encode: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// proofHead is the only header. The key stands in it on claim, when the provider does not know it yet.
func proofHead(key PublicKey, claim bool) string {
	head := `{"alg":"ES256","typ":"` + proofType + `"}`
	if claim {
		head = `{"alg":"ES256","typ":"` + proofType + `","jwk":` + string(key.JWK()) + `}`
	}
	return base64.RawURLEncoding.EncodeToString([]byte(head))
}

// Prove makes the value of ProofHeader for one call: a compact JWS by k over the method, the URL, the body, the
// time and 128 bits of rand. claim says that this is the call that introduces the key.
func (k *Key) Prove(method, url string, body []byte, claim bool, now time.Time, rand io.Reader) (string, error) {
	jti := make([]byte, jtiSize)
	if _, err := io.ReadFull(rand, jti); err != nil {
		return "", fail.Internal.Because(err)
	}
	p := proof{method, url, now.Unix(), base64.RawURLEncoding.EncodeToString(jti), statement.Hash(body)}
	input := proofHead(k.public, claim) + "." + p.encode()
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand, k.private, digest[:])
	if err != nil {
		return "", fail.Internal.Because(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// CheckProof checks the value of ProofHeader on the provider's side and returns the RFC 7638 thumbprint of the
// key that is proved: the key that claimed the login. url is the endpoint as the provider
// publishes it (issuer and path), never a URL put together from the request's Host. The error is fail.ProofInvalid.
//
// The header and the payload are built here and compared, not obeyed; only iat and jti are the agent's.
// CheckProof remembers no jti: within the window a repeated call repeats its body, and each call of this
// protocol either works once (claim, result) or changes nothing the second time.
func CheckProof(header string, key PublicKey, method, url string, body []byte, now time.Time) (string, error) {
	return checkProof(header, key, false, method, url, body, now)
}

// CheckClaim is CheckProof for the claim itself, which introduces the key: body must be a ClaimRequest, which is
// returned, and its key the one in the proof's header. A body that is none is fail.BadInput.
func CheckClaim(header, method, url string, body []byte, now time.Time) (ClaimRequest, error) {
	in, err := Decode[ClaimRequest](body)
	if err != nil {
		return ClaimRequest{}, err
	}
	if _, err := checkProof(header, in.Key, true, method, url, body, now); err != nil {
		return ClaimRequest{}, err
	}
	return in, nil
}

func checkProof(header string, key PublicKey, claim bool, method, url string, body []byte, now time.Time) (string, error) {
	point, err := key.point()
	if err != nil {
		return "", noProof("key")
	}
	if len(header) > maxProof {
		return "", noProof("too large")
	}
	parts := strings.Split(header, ".")
	if len(parts) != 3 || parts[0] != proofHead(key, claim) {
		return "", noProof("header")
	}
	if err := checkProofPayload(parts[1], method, url, body, now); err != nil {
		return "", err
	}
	if !signed(point, parts[0]+"."+parts[1], parts[2]) {
		return "", noProof("signature")
	}
	return key.Thumbprint(), nil
}

func checkProofPayload(part, method, url string, body []byte, now time.Time) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return noProof("payload is not base64url")
	}
	var said proof
	if err := json.Unmarshal(raw, &said); err != nil {
		return noProof("payload is not JSON")
	}
	var jti Base64URL
	if jti.UnmarshalText([]byte(said.Jti)) != nil || len(jti) != jtiSize {
		return noProof("jti")
	}
	if said.Iat < now.Unix()-proofWindow || said.Iat > now.Unix()+proofWindow {
		return noProof("iat")
	}
	if (proof{method, url, said.Iat, said.Jti, statement.Hash(body)}).encode() != part {
		return noProof("another call")
	}
	return nil
}

// signed verifies an ES256 signature: r and s, 32 bytes each (RFC 7518 3.4).
func signed(key *ecdsa.PublicKey, input, signature string) bool {
	var sig Base64URL
	if sig.UnmarshalText([]byte(signature)) != nil || len(sig) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(input))
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

func noProof(why string) error { return fail.ProofInvalid.Because(errors.New("agent: proof: " + why)) }
