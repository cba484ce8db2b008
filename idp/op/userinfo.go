package op

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"tegata/authn/fail"
	"tegata/idp"
	"tegata/idp/dpop"
)

// userInfo is the userinfo endpoint (OIDC Core 5.3): the token comes in the Authorization header alone, never in the
// query or a form, where it would reach logs. A token that is bound to a key comes as DPoP with its proof, and only so
// (RFC 9449 section 7).
type userInfo struct {
	idp    *idp.Provider
	certs  Certificates
	nonces *dpop.Nonces
}

func (u *userInfo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	offerNonce(u.nonces, w, r)
	if len(r.Header.Values("Authorization")) > 1 { // one way alone (RFC 6750 section 2)
		w.Header().Set("WWW-Authenticate", u.challenge("Bearer")+`, error="invalid_request"`)
		writeJSON(w, http.StatusBadRequest, []byte(`{"error":"invalid_request","error_description":"there are two Authorization headers"}`))
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	bound := strings.EqualFold(scheme, "DPoP")
	if token == "" || !bound && !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", u.challenge("Bearer"))
		w.Header().Add("WWW-Authenticate", u.challenge("DPoP"))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	certs, err := u.certs.of(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, []byte(`{"error":"invalid_request","error_description":"the client certificate cannot be read"}`))
		return
	}
	holder := idp.Holder{Certificate: certs.thumbprint()}
	if !bound {
		doc, err := u.idp.UserInfo(r.Context(), token, holder)
		u.answer(w, u.challenge("Bearer"), doc, err)
		return
	}
	doc, err := u.proved(r, token, holder)
	u.answer(w, u.challenge("DPoP"), doc, err)
}

// challenge says how to come in: which proofs we read (RFC 9449 section 7.1), and where the rest is written (RFC 9728
// section 5.1).
func (u *userInfo) challenge(scheme string) string {
	text := scheme + ` realm="tegata"`
	if scheme == "DPoP" {
		text += `, algs="` + strings.Join(dpop.Algorithms, " ") + `"`
	}
	return text + `, resource_metadata="` + u.idp.Issuer + ResourcePath + `"`
}

// proved is the data behind a token whose holder proves to have its key. The proof is spent last, when everything else
// is good.
func (u *userInfo) proved(r *http.Request, token string, h idp.Holder) (idp.Document, error) {
	check := proofs{u.idp, u.certs.Origin, u.nonces}
	proof, err := check.of(r.Header, r.Method, UserInfoPath, token)
	switch {
	case err != nil:
		return idp.Document{}, err
	case proof == nil:
		return idp.Document{}, dpop.ErrProof
	}
	h.Key = proof.Thumbprint
	doc, err := u.idp.UserInfo(r.Context(), token, h)
	if err != nil {
		return idp.Document{}, err
	}
	if err := check.spend(r.Context(), proof); err != nil {
		return idp.Document{}, err
	}
	return doc, nil
}

func (u *userInfo) answer(w http.ResponseWriter, challenge string, doc idp.Document, err error) {
	refuse := func(word string) {
		w.Header().Set("WWW-Authenticate", challenge+`, error="`+word+`"`)
		writeJSON(w, http.StatusUnauthorized, []byte(`{"error":"`+word+`"}`))
	}
	switch {
	case errors.Is(err, dpop.ErrNonce):
		refuse(useNonce)
	case errors.Is(err, dpop.ErrProof), errors.Is(err, errReplay):
		refuse("invalid_dpop_proof")
	case errors.Is(err, idp.ErrInvalidToken):
		refuse("invalid_token")
	case isUnavailable(err):
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"error":"temporarily_unavailable"}`))
	case errors.Is(err, fail.EncryptionKeyNone):
		body, _ := json.Marshal(pushFault{"invalid_request", keyMissing}) // two texts
		writeJSON(w, http.StatusBadRequest, body)
	case err != nil:
		writeJSON(w, http.StatusInternalServerError, []byte(`{"error":"server_error"}`))
	default:
		w.Header().Set("Content-Type", doc.Type)
		_, _ = w.Write(doc.Body) // the client may be gone; there is nobody to tell
	}
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
}
