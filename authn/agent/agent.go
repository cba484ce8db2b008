// Package agent owns the agent protocol: what an agent (the desktop program, the phone app, the sandbox's
// card reader) and the provider say to each other between the launch link and the browser's return. It has
// the wire types and the checks of both sides, the agent's client and its loopback listener.
// It refuses to know the provider's HTTP routes and pages, where a login is stored, how a PIN is asked for
// and how a reader is driven.
//
// What the launch link carries is a ticket and nothing else. Which provider an agent speaks to comes
// from its own list of trusted ones (Client.Issuer), so a hostile link cannot make a card sign for a hostile
// provider. Every call proves possession of the key the agent made for this one login, see CheckProof.
package agent

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"time"
)

// Paths of the agent API below the issuer. All are POST with a JSON body and the header ProofHeader; claim
// answers with a Context, result with a ResultResponse, progress and cancel with 204. Errors are an
// ErrorResponse with the status of the code.
const (
	ClaimPath    = "/agent/v1/claim"
	ProgressPath = "/agent/v1/progress"
	ResultPath   = "/agent/v1/result"
	CancelPath   = "/agent/v1/cancel"
)

// returnPath takes the completion code in the browser that started the login.
const returnPath = "/login/return/"

// MaxBody caps a request or response body, in bytes: two statements and three card files fit twice.
const MaxBody = 64 << 10

// callTimeout bounds one call, including the provider's revocation check.
const callTimeout = 30 * time.Second

// ReturnURL is where the browser hands in a completion code. An agent whose loopback return was blocked
// opens it in the default browser; in any browser but the one that started, it completes nothing.
func ReturnURL(issuer, code string) string { return issuer + returnPath + code }

// checkIssuer accepts an https origin, with or without a path, and plain http on this machine only.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return errors.New("agent: issuer is not a URL")
	case u.Host == "" || u.User != nil || strings.ContainsAny(issuer, "?#") || strings.HasSuffix(issuer, "/"):
		return errors.New("agent: issuer must be scheme, host and path alone")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("agent: issuer must be https")
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
