package web_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/idp/limit"
	"tegata/storage/seal"
	"tegata/storage/storagetest"
)

// limited is a world whose provider believes X-Forwarded-For of this machine.
func limited(t *testing.T, url string, rules limit.Rules) *idptest.World {
	t.Helper()
	return openOn(t, url, func(o *provider.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		o.Edge.Limits = limit.Limits{Table: limit.New(o.Now), Rules: rules}
	})
}

// from sends a request as if it came from an address.
func from(t *testing.T, w *idptest.World, address, method, path string) idptest.Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.Issuer+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if address != "" {
		r.Header.Set("X-Forwarded-For", address)
	}
	return idptest.Do(t, r)
}

func waits(t *testing.T, a idptest.Answer, atMost int) {
	t.Helper()
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > atMost || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Retry-After %q, Cache-Control %q", a.Header.Get("Retry-After"), a.Header.Get("Cache-Control"))
	}
}

func TestTenLoginsMayBeStartedInTenMinutes(t *testing.T) {
	w := limited(t, storagetest.SQLite(t), limit.Default())
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	start := func() idptest.Page {
		b := w.NewBrowser()
		return b.Submit(b.Get(shop.Request().URL()).Form("/start"))
	}
	for i := range 10 {
		if p := start(); p.Launch == "" {
			t.Fatalf("attempt %d: %d %s", i+1, p.Status, p.Code)
		}
	}
	p := start()
	if p.Status != http.StatusTooManyRequests || p.Code != "rate_limited" || p.Launch != "" {
		t.Fatalf("the eleventh: %d %s", p.Status, p.Code)
	}
	waits(t, idptest.Answer{Header: p.Header}, 60)
	w.Town.Clock.Advance(time.Minute + time.Second)
	if p := start(); p.Launch == "" {
		t.Errorf("a minute later: %d %s", p.Status, p.Code)
	}
}

func TestALoginThatSucceedsIsNoAttempt(t *testing.T) {
	w := limited(t, storagetest.SQLite(t), limit.Default())
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for range 12 {
		r := shop.Request()
		if w.Login(w.NewBrowser(), r, "taro").Get("code") == "" {
			t.Fatal("no code")
		}
	}
}

func TestOneLoginIsNotStartedForEver(t *testing.T) {
	rules := limit.Default()
	rules.Logins.Attempts = 3
	w := limited(t, storagetest.SQLite(t), rules)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	path := w.Approach(w.NewBrowser(), shop.Request()).URL.Path + "/start"
	for i, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
		got := from(t, w, address, "POST", path)
		if limited := got.Status == http.StatusTooManyRequests; limited != (i == 2) {
			t.Errorf("start %d from %s: %d", i+2, address, got.Status)
		}
	}
}

func TestMachinesHearItInTheirOwnWords(t *testing.T) {
	rules := limit.Rules{
		Requests: limit.Rate{Attempts: 2, Per: time.Minute}, Agents: limit.Rate{Attempts: 2, Per: time.Minute},
		Machines: limit.Rate{Attempts: 2, Per: time.Minute}, Registrations: limit.Rate{Attempts: 2, Per: time.Minute},
	}
	for _, tc := range []struct{ method, path, say string }{
		{"POST", "/oauth/token", `"error":"temporarily_unavailable"`}, {"POST", "/par", `"error":"temporarily_unavailable"`},
		{"POST", "/oauth/revoke", `"error":"temporarily_unavailable"`}, {"POST", "/oauth/introspect", `"error":"temporarily_unavailable"`},
		{"GET", "/userinfo", `"error":"temporarily_unavailable"`}, {"POST", "/register", `"error":"temporarily_unavailable"`},
		{"POST", "/agent/v1/claim", `"code":"rate_limited"`}, {"GET", "/authorize", `content="rate_limited"`}, {"GET", "/end_session", `content="rate_limited"`},
	} {
		w := limited(t, storagetest.SQLite(t), rules)
		for i := range 3 {
			got := from(t, w, "192.0.2.1", tc.method, tc.path)
			if refused := got.Status == http.StatusTooManyRequests; refused != (i == 2) {
				t.Errorf("%s %s, call %d: %d", tc.method, tc.path, i+1, got.Status)
			} else if refused {
				waits(t, got, 30)
				if !strings.Contains(got.Body, tc.say) {
					t.Errorf("%s %s says %s", tc.method, tc.path, got.Body)
				}
			}
		}
		if got := from(t, w, "192.0.2.2", tc.method, tc.path); got.Status == http.StatusTooManyRequests {
			t.Errorf("%s %s: another source pays", tc.method, tc.path)
		}
		for _, free := range []string{"/healthz", "/.well-known/openid-configuration", "/oauth/jwks"} {
			if got := from(t, w, "192.0.2.1", "GET", free); got.Status != 200 {
				t.Errorf("%s: %d", free, got.Status)
			}
		}
	}
}

func TestWhoseAddressCounts(t *testing.T) {
	for _, tc := range []struct {
		name, first, second string
		same                bool
	}{
		{"one address", "192.0.2.1", "192.0.2.1", true},
		{"two addresses", "192.0.2.1", "192.0.2.2", false},
		{"two addresses of one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"two /64", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"an IPv4 address written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"an invented hop in front of the real one", "203.0.113.7, 192.0.2.1", "203.0.113.8, 192.0.2.1", true},
		{"nonsense in front of the real one", "x, 192.0.2.1", "y, 192.0.2.1", true},
		{"a proxy of ours behind the real one", "192.0.2.1", "192.0.2.1, 127.0.0.1", true},
		{"no header and nonsense: the proxy itself", "", "x", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := limited(t, storagetest.SQLite(t), limit.Rules{Machines: limit.Rate{Attempts: 1, Per: time.Minute}})
			from(t, w, tc.first, "POST", "/oauth/token")
			if got := from(t, w, tc.second, "POST", "/oauth/token"); (got.Status == http.StatusTooManyRequests) != tc.same {
				t.Errorf("the second: %d", got.Status)
			}
		})
	}
	w := openOn(t, storagetest.SQLite(t), func(o *provider.Options) {
		o.Edge.Limits = limit.Limits{Table: limit.New(o.Now), Rules: limit.Rules{Machines: limit.Rate{Attempts: 1, Per: time.Minute}}}
	})
	from(t, w, "192.0.2.1", "POST", "/oauth/token")
	if got := from(t, w, "192.0.2.2", "POST", "/oauth/token"); got.Status != http.StatusTooManyRequests {
		t.Errorf("without a trusted proxy its header is believed: %d", got.Status)
	}
}

func TestAClientIsLimitedOnceItHasProvedWhichOneItIs(t *testing.T) {
	w := limited(t, storagetest.SQLite(t), limit.Rules{Clients: limit.Rate{Attempts: 2, Per: 2 * time.Minute}})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	thief := *shop
	thief.ClientSecret = clients.Secret(strings.Repeat("x", 43))
	form := url.Values{"token": {"x"}}
	for range 5 {
		if got := thief.Back("/oauth/revoke", form, nil); got.Error != "invalid_client" {
			t.Fatalf("a thief: %d %s", got.Status, got.Body)
		}
	}
	for i := range 3 {
		got := shop.Back("/oauth/revoke", form, nil)
		if refused := got.Status == http.StatusTooManyRequests; refused != (i == 2) {
			t.Errorf("call %d: %d %s", i+1, got.Status, got.Body)
		} else if refused && (got.Error != "temporarily_unavailable" || got.Header.Get("Retry-After") != "60") {
			t.Errorf("%v %s", got.Header, got.Body)
		}
	}
}

// Two replicas that each allow their share allow no more than the whole, wherever the balancer sends an attempt.
func TestTwoReplicasTogetherAllowTenStarts(t *testing.T) {
	url := storagetest.Postgres(t)
	var sealer seal.Sealer
	replica := func(o *provider.Options) {
		if sealer == nil {
			sealer = o.Seal
		}
		o.Seal = sealer
		o.Edge.Limits = limit.Limits{Table: limit.New(o.Now), Rules: limit.Default().Of(2)}
	}
	one, two := openOn(t, url, replica), openOn(t, url, replica)
	started := 0
	for _, w := range []*idptest.World{one, two} {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		for range 10 {
			b := w.NewBrowser()
			if p := b.Submit(b.Get(shop.Request().URL()).Form("/start")); p.Launch != "" {
				started++
			}
		}
	}
	if started != 10 {
		t.Errorf("%d logins were started", started)
	}
}
