package agent

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

// ErrForeignProvider is the cause inside fail.Internal when the context names another issuer or another
// login than the agent asked for. Nothing is signed then.
var ErrForeignProvider = errors.New("agent: the context is not of the trusted provider's login")

// Session is one claimed login, held by this agent alone through the key it made.
type Session struct {
	client  *Client
	key     *Key
	ticket  string // hash
	context Context

	mu     sync.Mutex  // one Perform at a time
	posted bool        // the result went out: it goes once
	ended  atomic.Bool // the provider has found that the card's signature certificate is good no more
}

// Claim redeems a ticket at the trusted provider and checks what it says. returnAddr is the address of the
// loopback listener (Return.Address), or "" where the browser is opened by other means.
// Errors: the provider's code (fail.TicketClaimed, fail.LoginExpired, ...), fail.AgentOutdated when this agent is
// older than the provider wants or does not know what it asks for, fail.Unavailable, fail.Internal.
func (c *Client) Claim(ctx context.Context, t Ticket, returnAddr string) (*Session, error) {
	if err := checkIssuer(c.Issuer); err != nil {
		return nil, fail.Internal.Because(err)
	}
	key, err := NewKey(c.Rand)
	if err != nil {
		return nil, err
	}
	s := &Session{client: c, key: key, ticket: t.Hash()}
	request := ClaimRequest{Ticket: t.Reveal(), Key: key.Public(), Version: c.Version, Return: returnAddr}
	if err := c.call(ctx, key, ClaimPath, request, &s.context); err != nil {
		return nil, err
	}
	if err := c.check(s.context, t.Login); err != nil {
		return nil, err
	}
	return s, nil
}

// Context is what the provider said: what to show before the PIN is asked for.
func (s *Session) Context() Context { return s.context }

// Progress tells the waiting page a progress code; tries is fail.NoTries or the PIN entries left.
func (s *Session) Progress(ctx context.Context, code string, tries int) error {
	request := ProgressRequest{Login: s.context.Login, Code: code}
	if tries != fail.NoTries {
		request.Tries = &tries
	}
	return s.client.call(ctx, s.key, ProgressPath, request, nil)
}

// Cancel gives the login up. code is the code of authn/fail that says why, fail.UserCancelled.Code above all.
func (s *Session) Cancel(ctx context.Context, code string) error {
	return s.client.call(ctx, s.key, CancelPath, CancelRequest{Login: s.context.Login, Code: code}, nil)
}

var numberForm = regexp.MustCompile(`^[0-9]{2}$`)

// check judges a context before anyone sees it. What this agent does not understand it does not sign.
func (c *Client) check(got Context, login string) error {
	nonce, err := base64.RawURLEncoding.DecodeString(got.Nonce)
	switch {
	case got.Issuer != c.Issuer, got.Login != login:
		return fail.Internal.Because(ErrForeignProvider)
	case Older(c.Version, got.MinVersion):
		return fail.AgentOutdated
	case err != nil, len(nonce) != statement.NonceSize, got.Client.ID == "", !numberForm.MatchString(got.Number):
		return fail.Internal.Because(errAnswer)
	case !c.Now().Before(got.Expires):
		return fail.LoginExpired
	}
	return checkOperations(got)
}

// checkOperations accepts exactly what Perform can do: a login, or a login with attributes from a source
// it knows, under a declaration whose sentence it can show.
func checkOperations(got Context) error {
	switch {
	case slices.Equal(got.Operations, []string{statement.Authenticate}):
		return nil
	case !slices.Equal(got.Operations, []string{statement.Authenticate, statement.ReadAttributes}):
		return fail.AgentOutdated
	case !slices.ContainsFunc(got.Sources, isSource):
		return fail.AgentOutdated
	case len(got.CardInfoBy) > 0 && len(opens(got)) == 0:
		return fail.AgentOutdated
	case slices.Contains(got.Sources, statement.SignatureCertificate) && got.Declaration != statement.ShareAttributes:
		return fail.AgentOutdated
	}
	return nil
}

func isSource(s string) bool { return s == statement.SignatureCertificate || s == statement.CardInfo }

// times are iat and exp of the statements made now: two minutes, or less if the login ends before.
func (s *Session) times(now time.Time) (int64, int64) {
	return now.Unix(), min(now.Add(statement.MaxLife).Unix(), s.context.Expires.Unix())
}
