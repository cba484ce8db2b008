package agent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"tegata/authn/fail"
)

// ErrNoReturn is what Wait gives after Fail: there was nothing to send the browser back with.
var ErrNoReturn = errors.New("agent: the login did not finish")

var (
	// codeForm is a completion code: base64url, in one or two parts, fit for a path segment.
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22,86}(\.[A-Za-z0-9_-]{22,86})?$`)
	// returnForm is the address of a Return, on this machine by number: a name could be made to point elsewhere.
	returnForm = regexp.MustCompile(`^http://(?:127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})/r/[A-Za-z0-9_-]{22}$`)
)

// ValidReturn checks, on the provider's side, the address to which a browser will be sent: http, a literal loopback
// address, a port, /r/ and a path token, and nothing else. The error is fail.BadInput.
func ValidReturn(addr string) error {
	m := returnForm.FindStringSubmatch(addr)
	if m == nil {
		return fail.BadInput.At("return")
	}
	if _, err := strconv.ParseUint(m[1], 10, 16); err != nil {
		return fail.BadInput.At("return")
	}
	return nil
}

// lives bound a listener and what it keeps waiting.
type lives struct {
	open   time.Duration // from Listen to Complete: a login's ten minutes
	back   time.Duration // from Complete to the browser's return; the code itself lives 60 s
	waiter time.Duration // a browser that came before Complete
}

var usualLives = lives{open: 10 * time.Minute, back: 120 * time.Second, waiter: 60 * time.Second}

// Return is the loopback listener that brings the completion code back into the browser the login started in.
// The waiting page navigates there at top level (no fetch: browsers ask before a page may reach into this machine), and is
// sent on to the provider with the code. Threats it answers: another user or program that scans ports does not
// know the path token; a page that rebinds its own host name to 127.0.0.1 has the wrong Host; a page that guesses with
// fetch, form, frame or prefetch does not navigate; a second visit finds nothing. A wrong visit costs the right one
// nothing. That the browser is the right one is not known here: the provider compares the cookie.
type Return struct {
	issuer string
	host   string
	path   string
	lives  lives
	server *http.Server

	mu    sync.Mutex
	code  string
	taken bool // a right visit is being answered, or was

	settled chan struct{} // closed by Complete or Fail
	over    chan struct{} // closed when the last answer is decided
	done    chan struct{} // closed when nothing runs any more
	settle  sync.Once
	end     sync.Once
	err     error // of Wait, written before over closes
}

// Listen opens the listener on 127.0.0.1 at a random port and a random 128-bit path. It lives until the
// browser was sent back, Fail, or the end of its time: the login's ten minutes, and two from Complete on.
func Listen(issuer string) (*Return, error) { return listen(issuer, usualLives) }

func listen(issuer string, lives lives) (*Return, error) {
	if err := checkIssuer(issuer); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	token := make([]byte, 16)
	rand.Read(token) // never fails; the one secret here, and no test wants another source
	r := &Return{
		issuer: issuer, host: listener.Addr().String(), path: "/r/" + base64.RawURLEncoding.EncodeToString(token), lives: lives,
		settled: make(chan struct{}), over: make(chan struct{}), done: make(chan struct{}),
	}
	r.server = &http.Server{
		Handler: r, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // it would quote requests, and with them the path
	}
	r.server.SetKeepAlivesEnabled(false)
	go r.run(listener)
	return r, nil
}

// Address is what the agent claims with: http://127.0.0.1:port/r/token.
func (r *Return) Address() string { return "http://" + r.host + r.path }

// Complete gives the code that the one right visit will carry away. The first of Complete and Fail counts.
func (r *Return) Complete(code string) error {
	if !codeForm.MatchString(code) {
		r.Fail()
		return fail.Internal.Because(errAnswer)
	}
	r.settleWith(code)
	return nil
}

// Fail closes the listener without a code; a browser that waits is told to look at its first page.
func (r *Return) Fail() {
	if r.settleWith("") {
		r.finish(ErrNoReturn)
	}
}

// Wait blocks until the listener is closed for good. nil: the browser was sent on with the code.
// fail.LoginExpired: it did not come in time; ErrNoReturn: Fail; else ctx's error, and the listener goes on.
func (r *Return) Wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Return) settleWith(code string) (first bool) {
	r.settle.Do(func() {
		r.mu.Lock()
		r.code = code
		r.mu.Unlock()
		close(r.settled)
		first = true
	})
	return first
}

func (r *Return) finish(err error) {
	r.end.Do(func() {
		r.err = err
		close(r.over)
	})
}

// run owns the server's life: it is the one place that ends it.
func (r *Return) run(listener net.Listener) {
	defer close(r.done)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = r.server.Serve(listener) // always http.ErrServerClosed, or the listener broke and time runs out
	}()
	r.awaitEnd()
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := r.server.Shutdown(grace); err != nil {
		_ = r.server.Close()
	}
	<-served
}

func (r *Return) awaitEnd() {
	timer := time.NewTimer(r.lives.open)
	defer timer.Stop()
	settled := r.settled
	for {
		select {
		case <-settled:
			settled = nil
			timer.Reset(r.lives.back)
		case <-timer.C:
			r.settleWith("")
			r.finish(fail.LoginExpired)
		case <-r.over:
			return
		}
	}
}

// ServeHTTP answers visits; see Return for what it accepts.
func (r *Return) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if status := r.refuse(req); status != 0 {
		http.Error(w, http.StatusText(status), status)
		return
	}
	if !r.take(true) {
		http.Error(w, "This address works once.", http.StatusGone)
		return
	}
	select {
	case <-r.settled:
		r.answer(w)
	case <-req.Context().Done():
		r.take(false)
	case <-time.After(r.lives.waiter):
		r.take(false)
		http.Error(w, "The card is not ready yet.", http.StatusServiceUnavailable)
	}
}

// refuse gives the status for a visit that is not the one we wait for, 0 for the right one. The request
// line is compared whole, so there is no query, no other spelling of the path and no proxy form.
func (r *Return) refuse(req *http.Request) int {
	switch {
	case req.Host != r.host: // DNS rebinding
		return http.StatusForbidden
	case req.Method != http.MethodGet:
		return http.StatusMethodNotAllowed
	case subtle.ConstantTimeCompare([]byte(req.RequestURI), []byte(r.path)) != 1:
		return http.StatusNotFound
	case !isNavigation(req.Header):
		return http.StatusForbidden
	}
	return 0
}

// isNavigation reads the fetch metadata that today's browsers send; older ones send none. A prefetch is refused, for it
// would use the address up before the person gets there.
func isNavigation(h http.Header) bool {
	absentOr := func(name, want string) bool {
		values := h.Values(name)
		return len(values) == 0 || len(values) == 1 && values[0] == want
	}
	return absentOr("Sec-Fetch-Mode", "navigate") && absentOr("Sec-Fetch-Dest", "document") &&
		absentOr("Origin", "null") && !strings.Contains(h.Get("Sec-Purpose")+h.Get("Purpose"), "prefetch")
}

// take reserves the one visit, or gives it back when its browser left unanswered.
func (r *Return) take(want bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == want {
		return false
	}
	r.taken = want
	return true
}

func (r *Return) answer(w http.ResponseWriter) {
	r.mu.Lock()
	code := r.code
	r.mu.Unlock()
	if code == "" {
		http.Error(w, "The login did not finish. Go back to the page where it started.", http.StatusGone)
		return
	}
	w.Header().Set("Location", ReturnURL(r.issuer, code))
	w.WriteHeader(http.StatusSeeOther)
	r.finish(nil)
}
