package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tegata/authn/fail"
)

const (
	issuer   = "https://id.example"
	goodCode = goodSecret
)

func mustListen(t *testing.T, l lives) *Return {
	t.Helper()
	r, err := listen(issuer, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Fail()
		r.finish(ErrNoReturn)
		<-r.done
		goleak.VerifyNone(t)
	})
	return r
}

// visit sends a request as raw bytes, so that nothing tidies it up, and returns status and Location.
func visit(t *testing.T, r *Return, request string) (int, http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp4", r.host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header
}

func get(r *Return, headers ...string) string {
	return "GET " + r.path + " HTTP/1.1\r\nHost: " + r.host + "\r\n" + strings.Join(append(headers, "", ""), "\r\n")
}

func TestWrongVisitsAreRefusedAndCostNothing(t *testing.T) {
	r := mustListen(t, usualLives)
	if err := r.Complete(goodCode); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(r.host)
	tests := []struct {
		name    string
		request string
		want    int
	}{
		{"another host name that resolves to us", strings.Replace(get(r), "Host: "+r.host, "Host: evil.example:"+port, 1), 403},
		{"localhost by name", strings.Replace(get(r), "Host: "+r.host, "Host: localhost:"+port, 1), 403},
		{"our address without a port", strings.Replace(get(r), "Host: "+r.host, "Host: 127.0.0.1", 1), 403},
		{"our address with another port", strings.Replace(get(r), "Host: "+r.host, "Host: 127.0.0.1:1", 1), 403},
		{"another spelling of our address", strings.Replace(get(r), "Host: "+r.host, "Host: 127.1:"+port, 1), 403},
		{"no host", "GET " + r.path + " HTTP/1.0\r\n\r\n", 403},
		{"POST", strings.Replace(get(r, "Content-Length: 0"), "GET", "POST", 1), 405},
		{"HEAD", strings.Replace(get(r), "GET", "HEAD", 1), 405},
		{"a preflight", strings.Replace(get(r, "Origin: https://evil.example", "Access-Control-Request-Private-Network: true"), "GET", "OPTIONS", 1), 405},
		{"a query", strings.Replace(get(r), r.path, r.path+"?code=x", 1), 404},
		{"an empty query", strings.Replace(get(r), r.path, r.path+"?", 1), 404},
		{"a path more", strings.Replace(get(r), r.path, r.path+"/", 1), 404},
		{"a path less", strings.Replace(get(r), r.path, r.path[:len(r.path)-1], 1), 404},
		{"another spelling of the path", strings.Replace(get(r), "/r/", "/%72/", 1), 404},
		{"a path with dots", strings.Replace(get(r), "/r/", "/x/../r/", 1), 404},
		{"the root", strings.Replace(get(r), r.path, "/", 1), 404},
		{"the form for proxies", strings.Replace(get(r), r.path, "http://"+r.host+r.path, 1), 404},
		{"a fetch", get(r, "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"), 403},
		{"a fetch without cors", get(r, "Sec-Fetch-Mode: no-cors"), 403},
		{"an image", get(r, "Sec-Fetch-Dest: image"), 403},
		{"a frame", get(r, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), 403},
		{"a navigation named twice", get(r, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: cors"), 403},
		{"a fetch that names its origin", get(r, "Origin: https://evil.example"), 403},
		{"the provider's own script", get(r, "Origin: "+issuer), 403},
		{"a prefetch", get(r, "Sec-Purpose: prefetch;prerender", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"), 403},
		{"an older prefetch", get(r, "Purpose: prefetch"), 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header := visit(t, r, tt.request)
			if status != tt.want || header.Get("Location") != "" || header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("status %d, want %d; header %v", status, tt.want, header)
			}
		})
	}
	status, header := visit(t, r, get(r, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site", "Sec-Fetch-User: ?1", "Origin: null"))
	if status != 303 || header.Get("Location") != issuer+"/login/return/"+goodCode || header.Get("Cache-Control") != "no-store" {
		t.Errorf("after all those the right visit gets %d %v", status, header)
	}
	if err := r.Wait(t.Context()); err != nil {
		t.Errorf("Wait: %v", err)
	}
}

func TestTheAddressWorksOnce(t *testing.T) {
	r := mustListen(t, usualLives)
	conns := make([]net.Conn, 2) // both connected before the listener closes
	for i := range conns {
		conn, err := net.Dial("tcp4", r.host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
	}
	answers := make(chan int, 2)
	for _, conn := range conns {
		go func() {
			_, _ = io.WriteString(conn, get(r))
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				answers <- 0
				return
			}
			answers <- response.StatusCode
		}()
	}
	if first := <-answers; first != 410 { // the other one holds the place and waits for Complete
		t.Errorf("the visit that came second got %d", first)
	}
	if err := r.Complete(goodCode); err != nil {
		t.Fatal(err)
	}
	if second := <-answers; second != 303 {
		t.Errorf("the visit that came first got %d", second)
	}
	if err := r.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp4", r.host); err == nil {
		conn.Close()
		t.Error("the listener is still open")
	}
}

func TestASecondVisitAfterTheAnswerFindsNothing(t *testing.T) {
	r := mustListen(t, usualLives)
	_ = r.Complete(goodCode)
	if !r.take(true) { // the first visit is being answered
		t.Fatal("nobody came yet")
	}
	if status, header := visit(t, r, get(r)); status != 410 || header.Get("Location") != "" {
		t.Errorf("second visit: %d %v", status, header)
	}
}

func TestABrowserThatLeavesMakesRoomForItsReload(t *testing.T) {
	r := mustListen(t, usualLives)
	left := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(left)
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.Address(), nil)
		if response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request); err == nil {
			response.Body.Close()
		}
	}()
	until(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.taken })
	cancel()
	<-left
	until(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return !r.taken })
	_ = r.Complete(goodCode)
	if status, _ := visit(t, r, get(r)); status != 303 {
		t.Errorf("the reload got %d", status)
	}
}

// until polls what has no channel: the server notices on its own goroutine that a browser left.
func until(t *testing.T, reached func() bool) {
	t.Helper()
	for !reached() {
		if t.Context().Err() != nil {
			t.Fatal("never")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestAWaitingBrowserHearsOfAFailure(t *testing.T) {
	r := mustListen(t, usualLives)
	answers := make(chan int, 1)
	go func() {
		response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(must(http.NewRequest(http.MethodGet, r.Address(), nil)))
		if err != nil {
			answers <- 0
			return
		}
		response.Body.Close()
		answers <- response.StatusCode
	}()
	until(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.taken })
	r.Fail()
	if got := <-answers; got != 410 {
		t.Errorf("it got %d", got)
	}
	if err := r.Wait(t.Context()); !errors.Is(err, ErrNoReturn) {
		t.Errorf("Wait: %v", err)
	}
	if err := r.Complete(goodCode); err != nil || r.code != "" {
		t.Errorf("a code after the failure: %q, %v", r.code, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestTimeEndsTheListener(t *testing.T) {
	brief, long := 10*time.Millisecond, time.Hour
	t.Run("before the card is done", func(t *testing.T) {
		r := mustListen(t, lives{brief, long, long})
		if err := r.Wait(t.Context()); !errors.Is(err, fail.LoginExpired) {
			t.Errorf("Wait: %v", err)
		}
	})
	t.Run("after the card is done", func(t *testing.T) {
		r := mustListen(t, lives{long, brief, long})
		_ = r.Complete(goodCode)
		if err := r.Wait(t.Context()); !errors.Is(err, fail.LoginExpired) {
			t.Errorf("Wait: %v", err)
		}
	})
	t.Run("a browser that came too early may come again", func(t *testing.T) {
		r := mustListen(t, lives{long, long, brief})
		if status, _ := visit(t, r, get(r)); status != 503 {
			t.Errorf("too early: %d", status)
		}
		_ = r.Complete(goodCode)
		if status, _ := visit(t, r, get(r)); status != 303 {
			t.Errorf("again: %d", status)
		}
	})
	t.Run("the caller's own context leaves it open", func(t *testing.T) {
		r := mustListen(t, usualLives)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait: %v", err)
		}
		_ = r.Complete(goodCode)
		if status, _ := visit(t, r, get(r)); status != 303 {
			t.Errorf("visit: %d", status)
		}
	})
}

func TestACodeThatWouldBendTheLocationClosesTheListener(t *testing.T) {
	for _, code := range []string{"", "x", "../" + goodCode, goodCode + "\r\nSet-Cookie: a=b", goodCode + "?x", goodCode + "/", goodCode + ".", "." + goodCode, strings.Repeat("A", 200)} {
		r := mustListen(t, usualLives)
		if err := r.Complete(code); !errors.Is(err, fail.Internal) {
			t.Errorf("Complete(%q) = %v", code, err)
		}
		if err := r.Wait(t.Context()); !errors.Is(err, ErrNoReturn) {
			t.Errorf("Wait after %q: %v", code, err)
		}
	}
}

func TestEveryListenerHasItsOwnPath(t *testing.T) {
	a, b := mustListen(t, usualLives), mustListen(t, usualLives)
	if a.path == b.path || len(a.path) != len("/r/")+22 {
		t.Errorf("paths %q and %q", a.path, b.path)
	}
	for _, r := range []*Return{a, b} {
		if err := ValidReturn(r.Address()); err != nil {
			t.Errorf("the provider would refuse %s", r.Address())
		}
		r.Fail()
	}
}

func TestListenWantsATrustedIssuer(t *testing.T) {
	for _, bad := range []string{"", "id.example", "http://id.example", "ftp://id.example", "https://", "https://id.example/", "https://id.example?x", "https://id.example#x", "https://a@id.example", "http://127.0.0.1.evil.example", "%zz", "javascript:alert(1)"} {
		if r, err := Listen(bad); err == nil {
			r.Fail()
			t.Errorf("Listen(%q)", bad)
		}
	}
	for _, good := range []string{"https://id.example", "https://id.example:8443/tegata", "http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"} {
		r, err := Listen(good)
		if err != nil {
			t.Errorf("Listen(%q): %v", good, err)
			continue
		}
		r.Fail()
		_ = r.Wait(t.Context())
	}
}

func TestReturnAddressesAreLoopbackByNumber(t *testing.T) {
	const token = "AAECAwQFBgcICQoLDA0ODw"
	for _, good := range []string{"http://127.0.0.1:1/r/", "http://127.0.0.1:65535/r/", "http://[::1]:50000/r/"} {
		if err := ValidReturn(good + token); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/r/" + token, "//127.0.0.1:5000/r/" + token, "127.0.0.1:5000/r/" + token, "https://127.0.0.1:5000/r/" + token, "HTTP://127.0.0.1:5000/r/" + token,
		"javascript://127.0.0.1:5000/r/" + token, "http://localhost:5000/r/" + token, "http://evil.example:5000/r/" + token, "http://127.0.0.1.evil.example:5000/r/" + token,
		"http://127.0.0.2:5000/r/" + token, "http://127.1:5000/r/" + token, "http://2130706433:5000/r/" + token, "http://0.0.0.0:5000/r/" + token, "http://192.168.0.1:5000/r/" + token,
		"http://[::ffff:127.0.0.1]:5000/r/" + token, "http://::1:5000/r/" + token, "http://[::1%25lo]:5000/r/" + token, "http://127.0.0.1/r/" + token, "http://127.0.0.1:/r/" + token,
		"http://127.0.0.1:0/r/" + token, "http://127.0.0.1:05000/r/" + token, "http://127.0.0.1:65536/r/" + token, "http://127.0.0.1:99999/r/" + token, "http://127.0.0.1:5000000/r/" + token,
		"http://a@127.0.0.1:5000/r/" + token, "http://127.0.0.1:5000@evil.example/r/" + token, "http://evil.example#@127.0.0.1:5000/r/" + token,
		"http://127.0.0.1:5000/r/", "http://127.0.0.1:5000/r/" + token + "/", "http://127.0.0.1:5000/r/" + token + "A", "http://127.0.0.1:5000/r/" + token[1:], "http://127.0.0.1:5000//r/" + token,
		"http://127.0.0.1:5000/x/" + token, "http://127.0.0.1:5000/r/" + token + "?x", "http://127.0.0.1:5000/r/" + token + "#x", "http://127.0.0.1:5000/r/" + token + "\n", "http://127.0.0.1:5000/r/" + token[:21] + "+",
		" http://127.0.0.1:5000/r/" + token, "http://127.0.0.1:5000/r/" + token + " ", `http:\\127.0.0.1:5000\r\` + token,
	} {
		if err := ValidReturn(bad); !errors.Is(err, fail.BadInput) {
			t.Errorf("ValidReturn(%q) = %v", fmt.Sprintf("%.80s", bad), err)
		}
	}
}
