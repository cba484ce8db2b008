package op

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"tegata/idp"
	"tegata/idp/dpop"
	"tegata/storage"
)

// proofs checks the DPoP proofs of requests to our endpoints.
type proofs struct {
	idp    *idp.Provider
	alias  string // Certificates.Origin
	nonces *dpop.Nonces
}

// of verifies the proof that came along, if one did; nil without. It does not look whether the proof was seen before.
func (p proofs) of(h http.Header, method, path, token string) (*dpop.Proof, error) {
	if len(h.Values("DPoP")) == 0 {
		return nil, nil
	}
	at := dpop.Request{Method: method, URL: p.idp.Issuer + path, Proofs: h.Values("DPoP"), Token: token, Nonces: p.nonces}
	proof, err := dpop.Verify(at, p.idp.Now())
	if errors.Is(err, dpop.ErrProof) && p.alias != "" { // the client may have called the endpoint by its other name
		at.URL = p.alias + path
		proof, err = dpop.Verify(at, p.idp.Now())
	}
	return &proof, err
}

var errReplay = errors.New("op: a DPoP proof came twice")

// spend uses a proof up. Only what is otherwise good is remembered: proofs are for anybody to make.
func (p proofs) spend(ctx context.Context, proof *dpop.Proof) error {
	err := p.idp.Store.Spend(ctx, storage.Spent{Hash: proof.ID, Until: proof.Until})
	if errors.Is(err, storage.ErrSpent) {
		return errReplay
	}
	return err
}

// key is the thumbprint of the key that an authenticated client proves to hold, nil if it proves none. The error is ready
// to be written.
func (p proofs) key(ctx context.Context, h http.Header, path string) ([]byte, error) {
	proof, err := p.of(h, http.MethodPost, path, "")
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return nil, (&oidc.Error{ErrorType: useNonce}).WithDescription("repeat the DPoP-Nonce of this answer in the proof")
	case err != nil:
		return nil, badProof(err.Error())
	case proof == nil:
		return nil, nil
	}
	switch err := p.spend(ctx, proof); {
	case errors.Is(err, errReplay):
		return nil, badProof("the proof was used before")
	case err != nil:
		return nil, protocolError(err, nil)
	}
	return proof.Thumbprint, nil
}

// useNonce is the error of a proof without a nonce of ours (RFC 9449 sections 8 and 9).
const useNonce = "use_dpop_nonce"

// offerNonce gives a client that sends proofs the nonce for its next one, whatever this one is worth.
func offerNonce(n *dpop.Nonces, w http.ResponseWriter, r *http.Request) {
	if n != nil && len(r.Header.Values("DPoP")) > 0 {
		w.Header().Set("DPoP-Nonce", n.Fresh())
	}
}

func badProof(text string) error {
	return (&oidc.Error{ErrorType: "invalid_dpop_proof"}).WithDescription("%s", text)
}

// parseThumbprint reads a dpop_jkt (RFC 9449 section 10).
func parseThumbprint(text string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return raw, err == nil && len(raw) == 32 && len(text) == 43
}
