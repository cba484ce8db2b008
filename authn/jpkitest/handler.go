package jpkitest

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

const maxBody = 16 << 10 // bytes; every request here is far shorter

const page = `Test authority for My Number Card logins. Nobody here exists, and no real card or server knows these keys.

POST %[1]s/ocsp/auth    OCSP responder for user-authentication certificates
POST %[1]s/ocsp/sign    OCSP responder for signature certificates
GET  %[1]s/crl/auth/GENERATION/PARTITION.crl   revocation list, generation 1 or 2, partition 0 or 1
GET  %[1]s/crl/sign/GENERATION/PARTITION.crl   the same for signature certificates
POST %[1]s/platform/v1/status           platform operator's API; also /link, /correspondence, /consent, /withdraw, /changes and /attributes
GET  %[1]s/platform/fees                what its calls cost by month and purpose, in calls since the start
GET  %[1]s/platform/key                 the key that signs its answers, PEM
GET  %[1]s/ca/auth      CA certificates of user authentication, all generations, PEM
GET  %[1]s/ca/sign      CA certificates of digital signature, all generations, PEM
GET  %[1]s/certs/NAME   certificates on the card of a persona, PEM: authentication, then signature if there is one
POST %[1]s/switch/NAME        {"status": "good | revoked | suspended"}   both certificates of a persona
POST %[1]s/life/NAME          {"event": "revoke | suspend | lift | renew | move | rename | die", "address": "for move", "name": "for rename"}
POST %[1]s/switch/responder   {"fault": "none | offline | late | stale | unknown | wrong_key | no_nonce | skew | delay"}

Switches take JSON or a form and work at once. Status and fault last until a restart, events are for good. For example:
curl -d status=revoked %[1]s/switch/taro
curl -d event=renew %[1]s/life/hanako

The fault at present: %[2]s
`

// Handler serves OCSP and the switches; its page at / documents them. It belongs on loopback: whoever
// can reach it can revoke everybody.
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.servePage)
	for _, purpose := range purposes {
		mux.HandleFunc("POST /ocsp/"+short(purpose), func(w http.ResponseWriter, r *http.Request) { a.serveOCSP(w, r, purpose) })
		mux.HandleFunc("GET /ca/"+short(purpose), func(w http.ResponseWriter, _ *http.Request) { servePEM(w, a.anchorsPEM(purpose)) })
		mux.HandleFunc("GET /crl/"+short(purpose)+"/{generation}/{file}", func(w http.ResponseWriter, r *http.Request) { a.serveList(w, r, purpose) })
	}
	mux.HandleFunc("GET /certs/{persona}", a.serveCertificates)
	mux.HandleFunc("POST /switch/{persona}", a.serveSwitch)
	mux.HandleFunc("POST /switch/responder", a.serveFault)
	mux.HandleFunc("POST /life/{persona}", a.serveLife)
	mux.HandleFunc("GET /platform/key", func(w http.ResponseWriter, _ *http.Request) { servePEM(w, a.platformPEM()) })
	mux.HandleFunc("GET /platform/fees", a.serveFees)
	a.mountPlatform(mux)
	return mux
}

func (a *Authority) servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, page, a.baseURL, a.Fault())
}

func (a *Authority) serveOCSP(w http.ResponseWriter, r *http.Request, purpose jpki.Purpose) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/ocsp-request" {
		http.Error(w, "expected an OCSP request as application/ocsp-request", http.StatusBadRequest)
		return
	}
	if !a.onTime(r) {
		return
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Write(a.respond(purpose, request))
}

// onTime plays the faults of the line. It is false when nobody waits any more.
func (a *Authority) onTime(r *http.Request) bool {
	switch a.Fault() {
	case FaultOffline:
		panic(http.ErrAbortHandler)
	case FaultLate:
		select {
		case <-time.After(lateBy):
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

func (a *Authority) serveCertificates(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("persona")
	card := a.cardOf(name)
	if i := slices.IndexFunc(a.personas, func(p cardtest.Persona) bool { return p.ID == name }); card == nil && i >= 0 {
		if _, err := a.Equip(a.personas[i]); err != nil {
			http.Error(w, "the card could not be issued", http.StatusInternalServerError)
			return
		}
		card = a.cardOf(name)
	}
	if card == nil {
		http.Error(w, "no card was issued to this persona yet", http.StatusNotFound)
		return
	}
	out := pemOf(card.Auth.Cert)
	if card.Sign != nil {
		out = append(out, pemOf(card.Sign.Cert)...)
	}
	servePEM(w, out)
}

func servePEM(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Write(data)
}

func (a *Authority) serveSwitch(w http.ResponseWriter, r *http.Request) {
	in, err := settings(w, r, "status")
	if err == nil {
		err = a.Switch(r.PathValue("persona"), cardtest.Status(in["status"]))
	}
	serveSetting(w, err, map[string]string{"persona": r.PathValue("persona"), "status": in["status"]})
}

func (a *Authority) serveLife(w http.ResponseWriter, r *http.Request) {
	in, err := settings(w, r, "event", "address", "name")
	if err == nil {
		to := in["address"]
		if Event(in["event"]) == Rename {
			to = in["name"]
		}
		err = a.Happen(r.PathValue("persona"), Event(in["event"]), to)
	}
	serveSetting(w, err, map[string]string{"persona": r.PathValue("persona"), "event": in["event"]})
}

func (a *Authority) serveFault(w http.ResponseWriter, r *http.Request) {
	in, err := settings(w, r, "fault")
	if err == nil {
		err = a.Misbehave(Fault(in["fault"]))
	}
	serveSetting(w, err, map[string]string{"fault": in["fault"]})
}

// settings reads values from JSON or from a form. A form that cannot be read has no values, and "" is refused.
func settings(w http.ResponseWriter, r *http.Request, keys ...string) (map[string]string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	in := map[string]string{}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		for _, key := range keys {
			in[key] = r.PostFormValue(key)
		}
		return in, nil
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, fmt.Errorf("expected a JSON object with %q", keys[0])
	}
	return in, nil
}

func serveSetting(w http.ResponseWriter, err error, now map[string]string) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(now)
}
