package revocation

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"tegata/authn/fail"
)

// Platform asks a certified platform operator over the HTTP API of web/docs/platform-api.md. Every answer repeats our
// request id and the certificate's hash and is signed by the operator's key: neither a replay nor somebody in between
// can make a revoked card good.
type Platform struct {
	URL    string             // https://…, without the /v1/status at its end
	Keys   []*ecdsa.PublicKey // P-256; two while the operator changes its key
	Token  string             // bearer token; "" where the transport authenticates
	HTTP   *http.Client       // nil means a client with default settings; its redirects are not followed
	Now    func() time.Time   // nil means time.Now
	Rand   io.Reader          // feeds the request ids; nil means crypto/rand
	MaxAge time.Duration      // how old an answer may be; 0 means two minutes
	// Timeout limits the whole exchange; 0 means three seconds.
	Timeout time.Duration
}

// SignatureHeader carries the base64 of an ASN.1 ECDSA signature over the SHA-256 of the body.
const SignatureHeader = "Platform-Signature"

// The calls of the API, below URL.
const (
	statusPath         = "/v1/status"
	correspondencePath = "/v1/correspondence"
	linkPath           = "/v1/link"
)

// Why an operator's answer is not believed.
var (
	errNoPlatform  = errors.New("revocation: no platform operator configured")
	errPlatformKey = errors.New("revocation: the answer is not signed by the operator's key")
	errJSON        = errors.New("revocation: the answer is not what the platform API promises")
	errReplayed    = errors.New("revocation: the answer belongs to another request")
)

// platformQuestion is the body of every call: about a certificate, or about what is left of one.
type platformQuestion struct {
	RequestID   string `json:"request_id"`
	Purpose     string `json:"purpose,omitempty"`
	Certificate []byte `json:"certificate,omitempty"` // DER, base64
	Serial      string `json:"serial,omitempty"`      // hexadecimal, with Issuer in place of Certificate
	Issuer      string `json:"issuer_sha256,omitempty"`
	Consent     string `json:"consent,omitempty"`   // version of the text that the holder agreed to (R10)
	Reference   string `json:"reference,omitempty"` // a consent to the latest attributes
	Until       string `json:"until,omitempty"`     // when that ends, RFC 3339
	Cursor      string `json:"cursor,omitempty"`    // place in the change feed
}

// platformAnswer is the body of every answer; each call has its own member.
type platformAnswer struct {
	RequestID   string    `json:"request_id"`
	Certificate string    `json:"certificate_sha256"`
	Serial      string    `json:"serial"`
	Issuer      string    `json:"issuer_sha256"`
	ThisUpdate  time.Time `json:"this_update"`
	NextUpdate  time.Time `json:"next_update"`

	Status         string   `json:"status"`
	Authentication string   `json:"authentication_serial"`
	Previous       []string `json:"previous_serials"`

	Reference  string            `json:"reference"`
	References []string          `json:"references"`
	Cursor     string            `json:"cursor"`
	More       bool              `json:"more"`
	Attributes *LatestAttributes `json:"attributes"`
}

// Check asks once. Its error is always fail.RevocationUnavailable with the cause inside.
func (p *Platform) Check(ctx context.Context, q Question) (Answer, error) {
	answer, err := p.check(ctx, q)
	if err != nil {
		return Answer{}, fail.RevocationUnavailable.Because(err)
	}
	return answer, nil
}

func (p *Platform) check(ctx context.Context, q Question) (Answer, error) {
	about, err := about(q)
	if err != nil {
		return Answer{}, err
	}
	about.Purpose = q.Purpose
	in, err := p.ask(ctx, statusPath, about)
	if err != nil {
		return Answer{}, err
	}
	return in.answer()
}

// about names the certificate of a question to the operator.
func about(q Question) (platformQuestion, error) {
	switch {
	case q.Leaf != nil:
		return platformQuestion{Certificate: q.Leaf.Raw}, nil
	case q.Serial == nil || q.Issuer == nil:
		return platformQuestion{}, errNoCertificate
	}
	issuer := sha256.Sum256(q.Issuer.Raw)
	return platformQuestion{Serial: q.Serial.Text(16), Issuer: hex.EncodeToString(issuer[:])}, nil
}

// ask makes one call and believes only an answer to this very question.
func (p *Platform) ask(ctx context.Context, path string, q platformQuestion) (platformAnswer, error) {
	if p.URL == "" || len(p.Keys) == 0 {
		return platformAnswer{}, errNoPlatform
	}
	var err error
	if q.RequestID, err = p.requestID(); err != nil {
		return platformAnswer{}, err
	}
	body, err := json.Marshal(q)
	if err != nil {
		return platformAnswer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, positive(p.Timeout, defaultTimeout))
	defer cancel()
	signed, err := p.post(ctx, path, body)
	if err != nil {
		return platformAnswer{}, err
	}
	return p.read(signed, q)
}

func (p *Platform) requestID() (string, error) {
	var id [16]byte
	source := p.Rand
	if source == nil {
		source = rand.Reader
	}
	_, err := io.ReadFull(source, id[:])
	return base64.RawURLEncoding.EncodeToString(id[:]), err
}

// post returns the body of an answer that one of the operator's keys signed.
func (p *Platform) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	answer, header, err := exchange(p.HTTP, req, "application/json", errJSON)
	switch {
	case err != nil:
		return nil, err
	case !p.signed(answer, header.Get(SignatureHeader)):
		return nil, errPlatformKey
	}
	return answer, nil
}

func (p *Platform) signed(body []byte, header string) bool {
	signature, err := base64.StdEncoding.DecodeString(header)
	digest := sha256.Sum256(body)
	return err == nil && slices.ContainsFunc(p.Keys, func(k *ecdsa.PublicKey) bool { return ecdsa.VerifyASN1(k, digest[:], signature) })
}

// read demands every field: an operator that forgets one is not guessed at.
func (p *Platform) read(body []byte, q platformQuestion) (platformAnswer, error) {
	var in platformAnswer
	if json.Unmarshal(body, &in) != nil || in.ThisUpdate.IsZero() || in.NextUpdate.IsZero() {
		return platformAnswer{}, errJSON
	}
	now := p.now()
	switch {
	case in.RequestID != q.RequestID:
		return platformAnswer{}, errReplayed
	case !in.repeats(q):
		return platformAnswer{}, errOtherQuestion
	case in.ThisUpdate.After(now.Add(maxSkew)):
		return platformAnswer{}, errFuture
	case now.Sub(in.ThisUpdate) > positive(p.MaxAge, defaultMaxAge):
		return platformAnswer{}, errStale
	case now.After(in.NextUpdate):
		return platformAnswer{}, errOverdue
	}
	return in, nil
}

// repeats says whether the answer is about what was asked about.
func (a platformAnswer) repeats(q platformQuestion) bool {
	if len(q.Certificate) == 0 {
		return a.Serial == q.Serial && a.Issuer == q.Issuer && a.Reference == q.Reference
	}
	sum := sha256.Sum256(q.Certificate)
	return a.Certificate == hex.EncodeToString(sum[:])
}

func (a platformAnswer) answer() (Answer, error) {
	status, ok := platformWords[a.Status]
	if !ok {
		return Answer{}, errJSON
	}
	return Answer{Status: status, ThisUpdate: a.ThisUpdate, NextUpdate: a.NextUpdate}, nil
}

var platformWords = map[string]Status{"good": Good, "revoked": Revoked, "suspended": Suspended, "unknown": Unknown}

func (p *Platform) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}
