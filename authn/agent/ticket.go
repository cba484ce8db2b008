package agent

import (
	"errors"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

// A ticket is the login's id and the ticket's secret, 128 and 256 bit in base64url, joined by a dot. The
// alphabet has nothing that a shell, a command line, a URL or an HTTP header takes for something else.
var ticketForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$`)

// maxTicket caps a ticket, in bytes, before anything looks at it: a link may bring a megabyte.
const maxTicket = 128

// Ticket is the short-lived, one-use handle that lets one agent claim one login. It prints as stars.
// Make it with ParseTicket or NewTicket only.
type Ticket struct {
	Login  string // id of the login
	Secret string // 256 bit, base64url
}

// NewTicket joins a login's id and a ticket secret in base64url. The error, for parts of another form, is
// fail.BadInput.
func NewTicket(login, secret string) (Ticket, error) { return ParseTicket(login + "." + secret) }

// ParseTicket reads exactly one ticket, with nothing around it. The error is fail.BadInput and quotes nothing.
func ParseTicket(s string) (Ticket, error) {
	if len(s) > maxTicket || !ticketForm.MatchString(s) {
		return Ticket{}, fail.BadInput.At("ticket")
	}
	login, secret, _ := strings.Cut(s, ".")
	t := Ticket{login, secret}
	if _, err := t.secret(); err != nil {
		return Ticket{}, fail.BadInput.At("ticket")
	}
	return t, nil
}

// Reveal gives the text of the ticket, for the launch link and the claim.
func (t Ticket) Reveal() string { return t.Login + "." + t.Secret }

func (t Ticket) secret() (Base64URL, error) {
	var raw Base64URL
	err := raw.UnmarshalText([]byte(t.Secret))
	return raw, err
}

// Hash is how the login statement names the ticket: base64url SHA-256 of the 32 bytes of its secret, which
// is also what the provider keeps of it. The login's id stands beside it in the statement.
func (t Ticket) Hash() string {
	raw, err := t.secret()
	if err != nil {
		return ""
	}
	return statement.Hash(raw)
}

// String keeps the ticket out of every format verb.
func (Ticket) String() string { return "[ticket]" }

// GoString keeps the ticket out of %#v.
func (Ticket) GoString() string { return "[ticket]" }

// LogValue keeps the ticket out of logs.
func (Ticket) LogValue() slog.Value { return slog.StringValue("[ticket]") }

// Launch is a launch link with a hole for the ticket at its end: tegata:{ticket} for the installed agent,
// http://127.0.0.1:9002/launch/{ticket} for the sandbox's. The zero Launch matches nothing.
type Launch struct{ prefix string }

const hole = "{ticket}"

// ParseLaunch reads the template from the configuration: the scheme tegata, https, or http on this machine (a
// ticket is a secret), and the hole once, at the end.
func ParseLaunch(template string) (Launch, error) {
	prefix, found := strings.CutSuffix(template, hole)
	u, err := url.Parse(prefix)
	switch {
	case !found || err != nil || strings.ContainsAny(prefix, "{}"):
		return Launch{}, errors.New("agent: launch link must be a URL that ends in " + hole)
	case prefix == "tegata:",
		u.Scheme == "https" && u.Host != "",
		u.Scheme == "http" && isLoopback(u.Hostname()):
		return Launch{prefix}, nil
	}
	return Launch{}, errors.New("agent: launch link must be tegata:, https, or http on this machine")
}

// Link is the launch link for a ticket.
func (l Launch) Link(t Ticket) string { return l.prefix + t.Reveal() }

// Ticket takes the ticket out of a link that the operating system handed over, and believes nothing else of
// it: no host, no option, no query. The error is fail.BadInput.
func (l Launch) Ticket(link string) (Ticket, error) {
	rest, ok := strings.CutPrefix(link, l.prefix)
	if !ok || l.prefix == "" {
		return Ticket{}, fail.BadInput.At("ticket")
	}
	return ParseTicket(rest)
}
