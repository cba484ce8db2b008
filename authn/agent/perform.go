package agent

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"slices"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/source"
	"tegata/authn/statement"
)

// Card is what Perform needs of a card; *card.Card is one.
type Card interface {
	Verify(ctx context.Context, p card.PIN, secret []byte) error
	HasSignCertificate(ctx context.Context) (bool, error)
	AuthCertificate(ctx context.Context) ([]byte, error)
	SignCertificate(ctx context.Context) ([]byte, error)
	AuthSigner(ctx context.Context, cert *x509.Certificate) crypto.Signer
	SignSigner(ctx context.Context, cert *x509.Certificate) crypto.Signer
	ReadCardInfo(ctx context.Context) (card.CardInfoFiles, error)
}

// Secrets are the entries of one attempt, as the bytes the card expects. Perform wipes them. It has no String
// method and is never logged.
type Secrets struct {
	PIN         []byte // of the authentication key, always needed: 4 digits
	Password    []byte // of the signature key, for statement.SignatureCertificate: 6 to 16 of A-Z and 0-9
	CardInfoPIN []byte // of the card-info application, for statement.CardInfo: 4 digits
	NumberB     []byte // verification number B, in place of CardInfoPIN: 14 digits
}

func (s Secrets) wipe() {
	clear(s.PIN)
	clear(s.Password)
	clear(s.CardInfoPIN)
	clear(s.NumberB)
}

// Source tells which attribute source Perform will use with this card, so that a window knows what to ask
// for: the first of Context.Sources that the card can serve, "" when no attributes are asked for.
// fail.SignCertMissing: the only source is a signature certificate, and this card has none; fail.SignCertEnded: it has
// one that is good no more.
func (s *Session) Source(ctx context.Context, c Card) (string, error) {
	if !slices.Contains(s.context.Operations, statement.ReadAttributes) {
		return "", nil
	}
	at := source.Card{Signature: true, Ended: s.ended.Load()}
	chosen, why := source.Choose(s.context.Sources, at)
	if chosen == statement.SignatureCertificate { // the card is asked only where it matters
		var err error
		if at.Signature, err = c.HasSignCertificate(ctx); err != nil {
			return "", err
		}
		chosen, why = source.Choose(s.context.Sources, at)
	}
	switch {
	case chosen != "":
		return chosen, nil
	case why == source.Ended:
		return "", fail.SignCertEnded
	}
	return "", fail.SignCertMissing
}

// GoesOn says whether a refusal leaves the login open for another source of attributes: the card's signature certificate
// has ended, and the provider takes others.
func (s *Session) GoesOn(refusal error) bool {
	other, _ := source.Choose(s.context.Sources, source.Card{Ended: true})
	return errors.Is(refusal, fail.SignCertEnded) && other != ""
}

// NeedsPassword says whether Perform will want the password of the signature key from the holder of this card.
func (s *Session) NeedsPassword(ctx context.Context, c Card) (bool, error) {
	source, err := s.Source(ctx, c)
	return source == statement.SignatureCertificate, err
}

// Perform does what the context asks for with the card, brings the result to the provider once and
// returns the completion code. Each secret goes to the card at most once, and none before all of them have the right
// form; all are wiped when it returns. After an error of the card (fail.PINWrong with the tries left, ...) it may be
// called again with new entries, and so after fail.SignCertEnded as long as Source has another one; once the result went
// out, fail.AlreadyUsed.
func (s *Session) Perform(ctx context.Context, c Card, secrets Secrets) (string, error) {
	defer secrets.wipe()
	if !s.mu.TryLock() {
		return "", fail.AgentBusy
	}
	defer s.mu.Unlock()
	switch {
	case s.posted:
		return "", fail.AlreadyUsed
	case !s.client.Now().Before(s.context.Expires):
		return "", fail.LoginExpired
	}
	source, err := s.Source(ctx, c)
	if err != nil {
		return "", err
	}
	if err := checkForm(secrets, source); err != nil {
		return "", err
	}
	if source == statement.CardInfo && !slices.Contains(s.Opens(), secrets.opener()) {
		return "", fail.MethodDisabled
	}
	result, err := s.evidence(ctx, c, secrets, source)
	if err != nil {
		return "", err
	}
	return s.post(ctx, result)
}

var (
	pinForm      = regexp.MustCompile(`^[0-9]{4}$`)
	passwordForm = regexp.MustCompile(`^[A-Z0-9]{6,16}$`)
)

// checkForm spares the card, and the person's tries, every entry that cannot be right.
func checkForm(s Secrets, source string) error {
	switch {
	case !pinForm.Match(s.PIN):
		return fail.PINFormat.At("pin")
	case source == statement.SignatureCertificate && !passwordForm.Match(s.Password):
		return fail.PINFormat.At("password")
	case source == statement.CardInfo && s.opener() == card.NumberB && !card.PlausibleNumberB(s.NumberB):
		return fail.PINFormat.At("number_b")
	case source == statement.CardInfo && s.opener() == card.CardInfoPIN && !pinForm.Match(s.CardInfoPIN):
		return fail.PINFormat.At("card_info_pin")
	}
	return nil
}

// evidence works at the card and makes the statements. The card-info application comes first: selecting it
// later would drop the verified PINs of the other application.
func (s *Session) evidence(ctx context.Context, c Card, secrets Secrets, source string) (ResultRequest, error) {
	result := ResultRequest{Login: s.context.Login}
	var ref *statement.AttributesRef
	if source == statement.CardInfo {
		files, err := readCardInfo(ctx, c, secrets)
		if err != nil {
			return ResultRequest{}, err
		}
		ref = statement.CardInfoRef(files.Attributes, files.Signature, files.Certificate)
		ref.Opened = files.Opened
		result.CardInfo = files
	}
	if err := c.Verify(ctx, card.AuthPIN, secrets.PIN); err != nil {
		return ResultRequest{}, err
	}
	auth, err := certificate(c.AuthCertificate(ctx))
	if err != nil {
		return ResultRequest{}, err
	}
	var sign *x509.Certificate
	if source == statement.SignatureCertificate {
		if sign, err = signCertificate(ctx, c, secrets.Password); err != nil {
			return ResultRequest{}, err
		}
		ref = statement.CertificateRef(sign.Raw)
	}
	if result.Statement, err = s.signLogin(c.AuthSigner(ctx, auth), auth, ref); err != nil {
		return ResultRequest{}, err
	}
	if sign != nil {
		result.Attributes, err = s.signAttributes(c.SignSigner(ctx, sign), sign, result.Statement)
	}
	return result, err
}

// readCardInfo says with what it opened the application. Number B opens the four attributes and not the My Number, and
// nothing else that it opens is read.
func readCardInfo(ctx context.Context, c Card, secrets Secrets) (*CardInfo, error) {
	by, secret, opened := card.CardInfoPIN, secrets.CardInfoPIN, ""
	if secrets.opener() == card.NumberB {
		by, secret, opened = card.NumberB, secrets.NumberB, statement.NumberB
	}
	if err := c.Verify(ctx, by, secret); err != nil {
		return nil, err
	}
	files, err := c.ReadCardInfo(ctx)
	if err != nil {
		return nil, err
	}
	return &CardInfo{files.EF0002, files.EF0003, files.EF0004, opened}, nil
}

func signCertificate(ctx context.Context, c Card, password []byte) (*x509.Certificate, error) {
	if err := c.Verify(ctx, card.SignPassword, password); err != nil {
		return nil, err
	}
	return certificate(c.SignCertificate(ctx))
}

// certificate parses what a card read returned; whether to trust it is the provider's question.
func certificate(der []byte, err error) (*x509.Certificate, error) {
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fail.CardDataBroken.Because(err)
	}
	return cert, nil
}

func (s *Session) signLogin(key crypto.Signer, leaf *x509.Certificate, ref *statement.AttributesRef) (string, error) {
	nonce := make([]byte, statement.NonceSize)
	if _, err := io.ReadFull(s.client.Rand, nonce); err != nil {
		return "", fail.Internal.Because(err)
	}
	iat, exp := s.times(s.client.Now())
	login := statement.Login{
		V: statement.Version, Issuer: s.client.Issuer, Login: s.context.Login, TicketHash: s.ticket, Client: s.context.Client.ID,
		Flow: statement.FlowReader, Operations: s.context.Operations, Nonce: s.context.Nonce,
		AgentNonce: base64.RawURLEncoding.EncodeToString(nonce), AgentKey: s.key.Public().Thumbprint(),
		Attributes: ref, IssuedAt: iat, Expires: exp,
	}
	return statement.Sign(key, leaf.Raw, statement.LoginType, login.Bytes())
}

func (s *Session) signAttributes(key crypto.Signer, leaf *x509.Certificate, login string) (string, error) {
	iat, exp := s.times(s.client.Now())
	attributes := statement.Attributes{
		V: statement.Version, Issuer: s.client.Issuer, Login: s.context.Login, LoginStatement: statement.Hash([]byte(login)),
		Declaration: s.context.Declaration, Nonce: s.context.Nonce, IssuedAt: iat, Expires: exp,
	}
	return statement.Sign(key, leaf.Raw, statement.AttributesType, attributes.Bytes())
}

// post brings the result. From the first byte on it counts as sent: after a lost answer nobody knows
// whether the provider took it, and the person starts again.
func (s *Session) post(ctx context.Context, result ResultRequest) (string, error) {
	s.posted = true
	var answer ResultResponse
	err := s.client.call(ctx, s.key, ResultPath, result, &answer)
	if s.GoesOn(err) && !s.ended.Swap(true) {
		s.posted = false
	}
	if err != nil {
		return "", err
	}
	if !codeForm.MatchString(answer.Code) {
		return "", fail.Internal.Because(errAnswer)
	}
	return answer.Code, nil
}
