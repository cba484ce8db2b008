package op

import (
	"errors"
	"net/http"
	"strings"

	"tegata/idp"
)

// userInfo is the userinfo endpoint (OIDC Core 5.3): the token comes in the Authorization header alone, never in the
// query or a form, where it would reach logs.
type userInfo struct {
	idp   *idp.Provider
	certs Certificates
}

func (u *userInfo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token == "" || !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tegata"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	certs, err := u.certs.of(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, []byte(`{"error":"invalid_request","error_description":"the client certificate cannot be read"}`))
		return
	}
	body, err := u.idp.UserInfo(r.Context(), token, idp.Holder{Certificate: certs.thumbprint()})
	switch {
	case errors.Is(err, idp.ErrInvalidToken):
		w.Header().Set("WWW-Authenticate", `Bearer realm="tegata", error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, []byte(`{"error":"invalid_token"}`))
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
