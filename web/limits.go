package web

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/idp/clients/register"
	"tegata/idp/limit"
	"tegata/idp/op"
	"tegata/web/show"
	"tegata/web/ui"
)

// gate counts the requests of each source before anybody reads them, and says wait in the words of who asks.
type gate struct {
	limits  limit.Limits
	proxies []netip.Prefix
	show    *show.Show
}

func limited(c Config, s *show.Show, next http.Handler) http.Handler {
	if c.Edge.Limits.Table == nil {
		return next
	}
	g := &gate{limits: c.Edge.Limits, proxies: c.TrustedProxies, show: s}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := source(r, g.proxies)
		if wait, refuse := g.count(r, from); refuse != nil {
			w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
			w.Header().Set("Cache-Control", "no-store")
			refuse(w, r)
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/login/return/") {
			next.ServeHTTP(w, r)
			return
		}
		out := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(out, r)
		if out.status < http.StatusBadRequest { // the login succeeded, so nobody was guessing
			g.limits.Return(g.limits.Logins, "login", from)
		}
	})
}

// machines are the endpoints that relying parties' servers call.
var machines = []string{op.TokenPath, op.PARPath, op.RevocationPath, op.IntrospectPath, op.UserInfoPath}

// count takes what a request costs; refuse is nil when it may go on.
func (g *gate) count(r *http.Request, from string) (wait time.Duration, refuse http.HandlerFunc) {
	path, ok := op.Standard(r.URL.Path), true
	login, starts := strings.CutSuffix(strings.TrimPrefix(path, "/login/"), "/start")
	switch {
	case r.Method == http.MethodPost && starts:
		if wait, ok = g.limits.Take(g.limits.Logins, "login", from); ok {
			wait, ok = g.limits.Take(g.limits.Logins, "login id", login)
		}
		refuse = g.page
	case path == op.AuthorizePath, path == op.EndSessionPath:
		wait, ok = g.limits.Take(g.limits.Requests, "request", from)
		refuse = g.page
	case strings.HasPrefix(path, "/agent/"):
		wait, ok = g.limits.Take(g.limits.Agents, "agent", from)
		refuse = g.agent
	case path == register.Path, strings.HasPrefix(path, register.Path+"/"):
		wait, ok = g.limits.Take(g.limits.Registrations, "registration", from)
		refuse = machine
	case slices.Contains(machines, path):
		wait, ok = g.limits.Take(g.limits.Machines, "machine", from)
		refuse = machine
	}
	if ok {
		return 0, nil
	}
	return wait, refuse
}

func (g *gate) page(w http.ResponseWriter, r *http.Request) { g.show.Error(w, r, fail.RateLimited) }

func (g *gate) agent(w http.ResponseWriter, r *http.Request) {
	e := fail.RateLimited
	writeJSON(w, e.Status, agent.ErrorResponse{
		Code: e.Code, Incident: g.show.Incident(r, e), Message: g.show.UI.Text(ui.Lang(r, nil), "error_"+e.Code+"_what", nil)})
}

// machine answers with the one OAuth word there is for come back later.
func machine(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusTooManyRequests, map[string]string{"error": "temporarily_unavailable", "error_description": "too many requests from your address"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone; there is nobody to tell
}

// source is the address that a request came from: the last hop that is no trusted proxy. Of IPv6 it is the /64, which is
// what one household has.
func source(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	at = at.Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(at, proxies); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // a proxy of ours writes addresses: what is before it is anybody's
		}
		at = before.Unmap()
	}
	if at.Is4() {
		return at.String()
	}
	return netip.PrefixFrom(at.WithZone(""), 64).Masked().String()
}

func trusted(at netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(at) })
}
