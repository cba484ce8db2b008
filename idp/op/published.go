package op

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tegata/claims"
	"tegata/idp"
	"tegata/idp/clients"
	"tegata/idp/dpop"
	"tegata/idp/keys"
)

// published is a document that anybody may read and keep: its bytes are made once and not for each reader.
type published struct {
	body []byte
	tag  string // strong: equal tags mean equal bytes (RFC 9110 section 8.8.1)
	of   string // what the bytes were made of, where that can change
}

func publish(of string, document any) (*published, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("op: encode: %w", err)
	}
	sum := sha256.Sum256(body)
	return &published{body: body, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`, of: of}, nil
}

// cacheFor is how long relying parties may keep a document: as long as a key may be trusted unseen.
var cacheFor = fmt.Sprintf("public, max-age=%d", int(keys.MaxAge/time.Second))

// write answers GET and HEAD, and 304 to those who have these bytes already.
func (p *published) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", cacheFor)
	h.Set("ETag", p.tag)
	if r.Method == http.MethodGet && !selective(r.Header) { // as ServeContent would, without copying the document once more
		h.Set("Accept-Ranges", "bytes")
		h.Set("Content-Length", strconv.Itoa(len(p.body)))
		_, _ = w.Write(p.body) // the client may be gone; there is nobody to tell
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.body))
}

// selective says whether a reader wants less than the whole, or the whole on a condition (RFC 9110 sections 13 and 14).
func selective(h http.Header) bool {
	return slices.ContainsFunc([]string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"},
		func(name string) bool { return len(h[name]) > 0 })
}

// fixed publishes a document that stays the same as long as the server runs. It is made by its first reader.
func fixed(make func() any) http.HandlerFunc {
	once := sync.OnceValues(func() (*published, error) { return publish("", make()) })
	return func(w http.ResponseWriter, r *http.Request) {
		doc, err := once()
		if err != nil {
			writeJSON(w, http.StatusInternalServerError, []byte(`{"error":"server_error"}`))
			return
		}
		doc.write(w, r)
	}
}

// keySet publishes the JWKS. Its bytes change only when a key comes or goes.
type keySet struct {
	ring *keys.Ring
	last atomic.Pointer[published]
}

func (k *keySet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	set, err := k.ring.JWKS()
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, []byte(`{"error":"temporarily_unavailable"}`))
		return
	}
	var ids strings.Builder
	for _, key := range set.Keys {
		ids.WriteString(key.KeyID + " " + key.Algorithm + "\n")
	}
	doc := k.last.Load()
	if doc == nil || doc.of != ids.String() {
		var err error
		if doc, err = publish(ids.String(), set); err != nil {
			writeJSON(w, http.StatusInternalServerError, []byte(`{"error":"server_error"}`))
			return
		}
		k.last.Store(doc)
	}
	doc.write(w, r)
}

// resource is the metadata of a protected resource (RFC 9728 section 2): how to get into userinfo.
type resource struct {
	Resource  string   `json:"resource"`
	Servers   []string `json:"authorization_servers"`
	Scopes    []string `json:"scopes_supported"`
	Methods   []string `json:"bearer_methods_supported"`
	ProofAlgs []string `json:"dpop_signing_alg_values_supported"`
	CertBound bool     `json:"tls_client_certificate_bound_access_tokens"`
	Manual    string   `json:"resource_documentation"`
}

func resourceAt(at string, p *idp.Provider, certs Certificates) func() any {
	return func() any {
		var scopes []string
		for _, scope := range clients.Scopes() {
			if scope != claims.ScopeOffline { // it opens no resource
				scopes = append(scopes, scope)
			}
		}
		return resource{Resource: at, Servers: []string{p.Issuer}, Scopes: scopes, Methods: []string{"header"}, ProofAlgs: dpop.Algorithms,
			CertBound: certs.enabled(), Manual: p.Issuer + ManualPath}
	}
}
