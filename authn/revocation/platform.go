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

const statusPath = "/v1/status"

// Why an operator's answer is not believed.
var (
	errNoPlatform  = errors.New("revocation: no platform operator configured")
	errPlatformKey = errors.New("revocation: the answer is not signed by the operator's key")
	errJSON        = errors.New("revocation: the answer is not what the platform API promises")
	errReplayed    = errors.New("revocation: the answer belongs to another request")
)

// platformStatus is the body of an answer.
type platformStatus struct {
	RequestID   string    `json:"request_id"`
	Certificate string    `json:"certificate_sha256"`
	Status      string    `json:"status"`
	ThisUpdate  time.Time `json:"this_update"`
	NextUpdate  time.Time `json:"next_update"`
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
	switch {
	case q.Leaf == nil:
		return Answer{}, errNoCertificate
	case p.URL == "" || len(p.Keys) == 0:
		return Answer{}, errNoPlatform
	}
	id, err := p.requestID()
	if err != nil {
		return Answer{}, err
	}
	body, err := json.Marshal(struct {
		RequestID   string `json:"request_id"`
		Purpose     string `json:"purpose"`
		Certificate []byte `json:"certificate"` // DER, base64
	}{id, q.Purpose, q.Leaf.Raw})
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, positive(p.Timeout, defaultTimeout))
	defer cancel()
	signed, err := p.post(ctx, body)
	if err != nil {
		return Answer{}, err
	}
	return p.read(signed, id, sha256.Sum256(q.Leaf.Raw))
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
func (p *Platform) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+statusPath, bytes.NewReader(body))
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
func (p *Platform) read(body []byte, id string, certificate [sha256.Size]byte) (Answer, error) {
	var in platformStatus
	if json.Unmarshal(body, &in) != nil || in.ThisUpdate.IsZero() || in.NextUpdate.IsZero() {
		return Answer{}, errJSON
	}
	status, ok := platformWords[in.Status]
	now := p.now()
	switch {
	case !ok:
		return Answer{}, errJSON
	case in.RequestID != id:
		return Answer{}, errReplayed
	case in.Certificate != hex.EncodeToString(certificate[:]):
		return Answer{}, errOtherQuestion
	case in.ThisUpdate.After(now.Add(maxSkew)):
		return Answer{}, errFuture
	case now.Sub(in.ThisUpdate) > positive(p.MaxAge, defaultMaxAge):
		return Answer{}, errStale
	case now.After(in.NextUpdate):
		return Answer{}, errOverdue
	}
	return Answer{Status: status, ThisUpdate: in.ThisUpdate, NextUpdate: in.NextUpdate}, nil
}

var platformWords = map[string]Status{"good": Good, "revoked": Revoked, "suspended": Suspended, "unknown": Unknown}

func (p *Platform) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}
