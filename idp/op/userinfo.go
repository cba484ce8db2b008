package op

import (
	"errors"
	"net/http"
	"strings"

	"tegata/idp"
	"tegata/idp/dpop"
)

// userInfo is the userinfo endpoint (OIDC Core 5.3): the token comes in the Authorization header alone, never in the
// query or a form, where it would reach logs. A token that is bound to a key comes as DPoP with its proof, and only so
// (RFC 9449 section 7).
type userInfo struct {
	idp   *idp.Provider
	certs Certificates
}

func (u *userInfo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
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
		body, err := u.idp.UserInfo(r.Context(), token, holder)
		u.answer(w, u.challenge("Bearer"), body, err)
		return
	}
	body, err := u.proved(r, token, holder)
	u.answer(w, u.challenge("DPoP"), body, err)
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
func (u *userInfo) proved(r *http.Request, token string, h idp.Holder) ([]byte, error) {
	check := proofs{u.idp}
	proof, err := check.of(r.Header, r.Method, UserInfoPath, token)
	switch {
	case err != nil:
		return nil, err
	case proof == nil:
		return nil, dpop.ErrProof
	}
	h.Key = proof.Thumbprint
	body, err := u.idp.UserInfo(r.Context(), token, h)
	if err != nil {
		return nil, err
	}
	if err := check.spend(r.Context(), proof); err != nil {
		return nil, err
	}
	return body, nil
}

func (u *userInfo) answer(w http.ResponseWriter, challenge string, body []byte, err error) {
	refuse := func(word string) {
		w.Header().Set("WWW-Authenticate", challenge+`, error="`+word+`"`)
		writeJSON(w, http.StatusUnauthorized, []byte(`{"error":"`+word+`"}`))
	}
	switch {
	case errors.Is(err, dpop.ErrProof), errors.Is(err, errReplay):
		refuse("invalid_dpop_proof")
	case errors.Is(err, idp.ErrInvalidToken):
		refuse("invalid_token")
	case isUnavailable(err):
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"error":"temporarily_unavailable"}`))
	case err != nil:
		writeJSON(w, http.StatusInternalServerError, []byte(`{"error":"server_error"}`))
	default:
		writeJSON(w, http.StatusOK, body)
	}
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
}
