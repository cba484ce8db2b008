package jpkitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"time"

	"tegata/authn/jpki"
)

// The platform operator's API (web/docs/platform-api.md).
type (
	platformRequest struct {
		RequestID   string `json:"request_id"`
		Purpose     string `json:"purpose"`
		Certificate []byte `json:"certificate"`
		Serial      string `json:"serial"` // in place of the certificate, with the issuer
		Issuer      string `json:"issuer_sha256"`
		Consent     string `json:"consent"`
		Reference   string `json:"reference"`
		Until       string `json:"until"`
		Cursor      string `json:"cursor"`
	}
	platformAnswer struct {
		RequestID   string   `json:"request_id,omitempty"`
		Certificate string   `json:"certificate_sha256,omitempty"`
		Number      string   `json:"serial,omitempty"`
		Issuer      string   `json:"issuer_sha256,omitempty"`
		Status      string   `json:"status,omitempty"`
		Previous    []string `json:"previous_serials,omitempty"`
		Serial      string   `json:"authentication_serial,omitempty"`
		Reference   string   `json:"reference,omitempty"`
		References  []string `json:"references,omitempty"`
		Cursor      string   `json:"cursor,omitempty"`
		More        bool     `json:"more,omitempty"`

		Attributes *latestAttributes `json:"attributes,omitempty"`

		ThisUpdate string `json:"this_update"`
		NextUpdate string `json:"next_update"`
	}
)

// Refusals of the API.
var (
	errPlatformRequest = errors.New("request_invalid")
	errConsent         = errors.New("consent_required")
	errUnknownHolder   = errors.New("certificate_unknown")
)

// PlatformKey verifies the platform API's answers.
func (a *Authority) PlatformKey() *ecdsa.PublicKey { return &a.platform.PublicKey }

// PlatformURL is where the platform API is, without /v1.
func (a *Authority) PlatformURL() string { return a.baseURL + "/platform" }

func (a *Authority) restorePlatform(der []byte) error {
	if der == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		a.platform = key
		return a.vault.save(a.snapshot())
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return a.vault.broken()
	}
	a.platform = key
	return nil
}

func (a *Authority) platformDER() []byte {
	der, err := x509.MarshalECPrivateKey(a.platform)
	if err != nil {
		panic(err) // a P-256 key of our own
	}
	return der
}

func (a *Authority) platformPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(a.PlatformKey())
	if err != nil {
		panic(err) // a P-256 key of our own
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func (a *Authority) mountPlatform(mux *http.ServeMux) {
	for path, answer := range map[string]func(platformRequest, *platformAnswer) error{
		"status": a.platformStatus, "link": a.platformLink, "correspondence": a.platformCorrespondence,
		"consent": a.platformConsent, "withdraw": a.platformWithdraw, "changes": a.platformChanges, "attributes": a.platformAttributes,
	} {
		mux.HandleFunc("POST /platform/v1/"+path, func(w http.ResponseWriter, r *http.Request) { a.servePlatform(w, r, path, answer) })
	}
}

func (a *Authority) servePlatform(w http.ResponseWriter, r *http.Request, call string, answer func(platformRequest, *platformAnswer) error) {
	var in platformRequest
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in)
	a.bill(call, in)
	if !a.onTime(r) {
		return
	}
	fault := a.Fault()
	now := a.now().UTC().Add(shift(fault))
	out := platformAnswer{
		RequestID: in.RequestID, Number: in.Serial, Issuer: in.Issuer,
		ThisUpdate: now.Format(time.RFC3339), NextUpdate: now.Add(nextUpdate).Format(time.RFC3339),
	}
	if len(in.Certificate) > 0 {
		sum := sha256.Sum256(in.Certificate)
		out.Certificate = hex.EncodeToString(sum[:])
	}
	if err != nil || in.RequestID == "" || call != "withdraw" && call != "changes" && !in.names() {
		err = errPlatformRequest
	} else {
		err = answer(in, &out)
	}
	if fault == FaultNoNonce {
		out.RequestID = ""
	}
	a.sendPlatform(w, out, err, fault)
}

func (a *Authority) sendPlatform(w http.ResponseWriter, out platformAnswer, refusal error, fault Fault) {
	w.Header().Set("Content-Type", "application/json")
	if refusal != nil {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": refusal.Error()})
		return
	}
	body, err := json.Marshal(out)
	key := a.platform
	if fault == FaultWrongKey && err == nil {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	digest := sha256.Sum256(body)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Platform-Signature", base64.StdEncoding.EncodeToString(signature))
	w.Write(body)
}

// names says whether the request is about a certificate: itself, or its number and its issuer.
func (in platformRequest) names() bool {
	_, err := x509.ParseCertificate(in.Certificate)
	_, number := new(big.Int).SetString(in.Serial, 16)
	return err == nil || len(in.Certificate) == 0 && number && len(in.Issuer) == 2*sha256.Size
}

// holderOf finds the card of a certificate that is, byte for byte, ours, or of a number that one of our CAs gave.
func (a *Authority) holderOf(purpose jpki.Purpose, in platformRequest) (*issuedCard, bool) {
	serial, isNumber := new(big.Int).SetString(in.Serial, 16)
	if cert, err := x509.ParseCertificate(in.Certificate); err == nil {
		serial, isNumber = cert.SerialNumber, false
	}
	card, issued, past := a.find(purpose, serial)
	if card == nil || !isNumber && string(issued.Cert) != string(in.Certificate) {
		return nil, false
	}
	if issuer := sha256.Sum256(a.cas[purpose][issued.Generation-1].cert.Raw); isNumber && hex.EncodeToString(issuer[:]) != in.Issuer {
		return nil, false
	}
	return card, past
}

// platformStatus gives one word and never a reason.
func (a *Authority) platformStatus(in platformRequest, out *platformAnswer) error {
	purpose, ok := map[string]jpki.Purpose{"authentication": jpki.Authentication, "signature": jpki.Signature}[in.Purpose]
	if !ok {
		return errPlatformRequest
	}
	out.Status = "unknown"
	if card, past := a.holderOf(purpose, in); card != nil && a.Fault() != FaultUnknown {
		out.Status = string(a.statusOf(card, past))
		if out.Status != "revoked" && out.Status != "suspended" {
			out.Status = "good"
		}
	}
	return nil
}

// platformLink names the serial numbers that the same person's authentication certificates had before, newest first.
func (a *Authority) platformLink(in platformRequest, out *platformAnswer) error {
	if in.Consent == "" {
		return errConsent
	}
	card, past := a.holderOf(jpki.Authentication, in)
	if card == nil || past {
		return errUnknownHolder
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, other := range a.cards { // the cards before this one, and what was on this one before
		for _, was := range other.Past {
			if other.Persona == card.Persona && was.Purpose == jpki.Authentication {
				out.Previous = append([]string{serialText(was.Serial)}, out.Previous...)
			}
		}
		if other.Persona == card.Persona && other != card {
			out.Previous = append([]string{serialText(other.Auth.Serial)}, out.Previous...)
		}
	}
	return nil
}

// platformCorrespondence names the authentication certificate of a signature certificate's holder.
func (a *Authority) platformCorrespondence(in platformRequest, out *platformAnswer) error {
	if in.Consent == "" {
		return errConsent
	}
	card, past := a.holderOf(jpki.Signature, in)
	if card == nil || past {
		return errUnknownHolder
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	out.Serial = serialText(card.Auth.Serial)
	return nil
}

func serialText(serial int64) string { return big.NewInt(serial).Text(16) }
