package authn

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/authn/source"
	"tegata/authn/statement"
	"tegata/claims"
	"tegata/storage"
)

// ACR of a card login: card with PIN and a fresh revocation check (R15).
const ACR = "aal3"

// UncheckedACR is what the same login is worth where the operator asks no authority about revocation. A relying party
// refuses it by looking at acr.
const UncheckedACR = "aal2"

// amr of a card login (RFC 8176 has pin and hwk; mnc is the My Number Card).
var amr = []string{"mnc", "pin", "hwk"}

// Evidence is what a good result proves.
type Evidence struct {
	Index []byte // of the authentication certificate, keyed: nobody can compute it from a serial (R6)
	Card  []byte // jpki.Number of it, encoded: to be sealed, and asked about later
	// SignCard is the same of the signature certificate that Facts were read from; nil without one.
	SignCard []byte
	Facts    []byte // claims.Person, encoded; nil when no attributes were asked for
	Holder   Holder // how it is known that Facts are about whoever logged in
	ACR      string
	AMR      []string
}

// trust decides whether a certificate may be used for a purpose; jpki.Trust does, and so does one that is read again
// while the server runs.
type trust interface {
	Check(leaf *x509.Certificate, purpose jpki.Purpose, at time.Time) (issuer *x509.Certificate, err error)
}

// Judge decides whether what an agent brought proves a login. It is safe for concurrent use.
type Judge struct {
	Issuer          string
	Trust           trust
	Revocation      revocation.Checker
	CardInfoIssuers []*rsa.PublicKey // keys that certify card-info data; without any such data is not accepted, or see TakeUnverified
	TakeUnverified  bool             // card-info data that none of the keys certifies is taken too, as facts that nobody has checked
	Correspondence  correspondence   // asked where a signature certificate is brought; nil: nobody is, see Evidence.Holder
	IndexKey        []byte           // secret of Evidence.Index; it must never change
	Now             func() time.Time
}

// Operations says what the card must do for a request. Who is remembered only has to show who she is.
func Operations(r storage.AuthRequest) []string {
	if r.Recall != "" || len(claims.Asked(r.Scopes, r.Items)) == 0 {
		return []string{statement.Authenticate}
	}
	return []string{statement.Authenticate, statement.ReadAttributes}
}

// Sources are the attribute sources that this judge accepts, best first. A signature certificate is a statement of its
// holder under the state's signature; card-info data is verified only where the operator holds its issuer's key.
func (j *Judge) Sources() []string {
	sources := []string{statement.SignatureCertificate}
	if len(j.CardInfoIssuers) > 0 {
		sources = append(sources, statement.CardInfo)
	}
	if j.TakeUnverified {
		sources = append(sources, source.Unverified)
	}
	return sources
}

// ACR is what a login with this judge is worth at most.
func (j *Judge) ACR() string {
	if _, unasked := j.Revocation.(revocation.None); unasked {
		return UncheckedACR
	}
	return ACR
}

// Judge rebuilds from l alone what the card should have signed, compares, and only then asks whose card it is and
// whether it is still good. What it returns was proved by this very login; the order goes from cheap to dear.
func (j *Judge) Judge(ctx context.Context, l storage.Login, r agent.ResultRequest) (Evidence, error) {
	login, err := statement.Open(r.Statement, statement.LoginType)
	if err != nil {
		return Evidence{}, err
	}
	attributes, err := j.openAttributes(l, r)
	if err != nil {
		return Evidence{}, err
	}
	want, err := j.expected(l, attributes.ref)
	if err != nil {
		return Evidence{}, err
	}
	if _, err := statement.Expect(login, want, j.Now()); err != nil {
		return Evidence{}, err
	}
	if err := attributes.check(l, login, j.Issuer, j.Now()); err != nil {
		return Evidence{}, err
	}
	checks := []check{{login.Leaf, jpki.Authentication}}
	if attributes.leaf != nil {
		checks = append(checks, check{attributes.leaf, jpki.Signature})
	}
	issuers, acr, err := j.certificates(ctx, l.ClientID, checks)
	if err != nil {
		return Evidence{}, err
	}
	facts, err := j.facts(attributes, issuers[len(issuers)-1])
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{
		Index: jpki.Index(j.IndexKey, jpki.Authentication, login.Leaf), Card: jpki.NumberOf(login.Leaf, issuers[0]).Encode(),
		Facts: facts, Holder: j.holder(attributes), ACR: acr, AMR: amr}
	if attributes.leaf != nil {
		e.SignCard = jpki.NumberOf(attributes.leaf, issuers[1]).Encode()
	}
	return e, nil
}

// expected is the login statement that our own records allow.
func (j *Judge) expected(l storage.Login, ref *statement.AttributesRef) (statement.Login, error) {
	key, err := agent.ParseKey(l.AgentKey)
	if err != nil {
		return statement.Login{}, fail.Internal.Because(err)
	}
	return statement.Login{
		Issuer: j.Issuer, Login: l.ID, TicketHash: encode(l.TicketHash), Client: l.ClientID, Flow: statement.FlowReader,
		Operations: Operations(l.Request), Nonce: encode(l.Nonce), AgentKey: key.Thumbprint(), Attributes: ref,
	}, nil
}

type check struct {
	leaf    *x509.Certificate
	purpose jpki.Purpose
}

// certificates checks paths first and then asks what is to be asked, all at once: each answer may take seconds. It
// returns the anchor of each, and what the login is worth. A signature certificate that has ended on a card that is good is
// said to be just that: the card can still be used in another way.
func (j *Judge) certificates(ctx context.Context, client string, checks []check) ([]*x509.Certificate, string, error) {
	var asks []func() (string, error)
	issuers := make([]*x509.Certificate, len(checks))
	for i, c := range checks {
		issuer, err := j.Trust.Check(c.leaf, c.purpose, j.Now())
		if c.purpose == jpki.Signature && errors.Is(err, fail.CertificateExpired) {
			asks = append(asks, func() (string, error) { return ACR, fail.SignCertEnded.Because(err) })
			continue
		}
		if err != nil {
			return nil, "", err
		}
		issuers[i] = issuer
		q := revocation.Question{Leaf: c.leaf, Issuer: issuer, Purpose: c.purpose.String(), Client: client}
		asks = append(asks, func() (string, error) { return j.ask(ctx, q) })
		if c.purpose == jpki.Signature {
			asks[i] = ended(asks[i])
		}
	}
	if len(checks) > 1 && j.Correspondence != nil {
		asks = append(asks, func() (string, error) { return ACR, j.oneHolder(ctx, checks[0].leaf, checks[1].leaf, client) })
	}
	acr, err := all(asks)
	return issuers, acr, err
}

// ended calls a revoked signature certificate by its own name. The refusal of the authentication certificate comes before it.
func ended(ask func() (string, error)) func() (string, error) {
	return func() (string, error) {
		acr, err := ask()
		if errors.Is(err, fail.CertificateRevoked) {
			err = fail.SignCertEnded.Because(err)
		}
		return acr, err
	}
}

// all runs the questions at once and takes the answers in their order, so that the same cards always hear the same.
func all(asks []func() (string, error)) (string, error) {
	type result struct {
		acr     string
		refusal error
	}
	results := make([]result, len(asks))
	var running sync.WaitGroup
	for i, ask := range asks {
		running.Go(func() { results[i].acr, results[i].refusal = ask() })
	}
	running.Wait()
	acr, refusal := ACR, error(nil)
	for _, r := range results {
		acr, refusal = min(acr, r.acr), worse(refusal, r.refusal) // the names are made to sort by worth
	}
	return acr, refusal
}

// ask gets one certificate's status. Not having asked is no refusal, but it is worth less.
func (j *Judge) ask(ctx context.Context, q revocation.Question) (acr string, refusal error) {
	answer, err := j.Revocation.Check(ctx, q)
	if err == nil && answer.Status == revocation.NotChecked {
		return UncheckedACR, nil
	}
	return ACR, revocation.Refuse(answer, err)
}

// worse prefers a certain refusal to "could not ask", so that the same card always hears the same.
func worse(a, b error) error {
	if a == nil || b != nil && errors.Is(a, fail.RevocationUnavailable) {
		return b
	}
	return a
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
