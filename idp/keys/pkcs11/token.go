//go:build pkcs11

package pkcs11

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/miekg/pkcs11"

	"tegata/idp/keys"
)

// sessions is how many signatures the token may be asked for at once.
const sessions = 8

// token is an open token with somebody logged in.
type token struct {
	ctx  *pkcs11.Ctx
	slot uint
	free chan pkcs11.SessionHandle
}

// Open loads the module and logs in. One process opens one token. ErrToken.
func Open(c Config) (keys.Hardware, error) {
	ctx := pkcs11.New(c.Module)
	if ctx == nil {
		return nil, fmt.Errorf("%w: the module cannot be loaded", ErrToken)
	}
	if err := ctx.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	slot, err := slotOf(ctx, c.Token)
	if err != nil {
		return nil, err
	}
	t := &token{ctx: ctx, slot: slot, free: make(chan pkcs11.SessionHandle, sessions)}
	for i := range sessions {
		s, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrToken, err)
		}
		if i == 0 { // all sessions of a process share the login
			if err := ctx.Login(s, pkcs11.CKU_USER, c.PIN); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)) {
				return nil, fmt.Errorf("%w: logging in: %w", ErrToken, err)
			}
		}
		t.free <- s
	}
	return t, nil
}

func slotOf(ctx *pkcs11.Ctx, label string) (uint, error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrToken, err)
	}
	for _, slot := range slots {
		if info, err := ctx.GetTokenInfo(slot); err == nil && strings.TrimRight(info.Label, " \x00") == label {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("%w: no token has the label", ErrToken)
}

// with lends a session. A broken one is replaced, so that the next signature finds a good one.
func (t *token) with(work func(pkcs11.SessionHandle) error) error {
	s := <-t.free
	err := work(s)
	if err != nil {
		if fresh, failed := t.ctx.OpenSession(t.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); failed == nil {
			_ = t.ctx.CloseSession(s) // which may be the broken part
			s = fresh
		}
	}
	t.free <- s
	return err
}

// curves by their object identifiers (RFC 5480, RFC 8410).
var (
	p256    = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	ed25519 = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
)

// PKCS #11 3.0 names that the binding does not have.
const (
	keyGenEdwards = 0x1055 // CKM_EC_EDWARDS_KEY_PAIR_GEN
	signEdwards   = 0x1057 // CKM_EDDSA
	typeEdwards   = 0x40   // CKK_EC_EDWARDS
)

const rsaBits = 2048

// Make implements keys.Hardware.
func (t *token) Make(alg string) (string, crypto.Signer, error) {
	var how uint
	var params []*pkcs11.Attribute
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		how, params = pkcs11.CKM_EC_KEY_PAIR_GEN, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256)}
	case jose.EdDSA:
		how, params = keyGenEdwards, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, ed25519)}
	case jose.RS256, jose.PS256:
		how, params = pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, rsaBits), pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1})}
	default:
		return "", nil, keys.ErrUnsupported
	}
	if _, err := t.ctx.GetMechanismInfo(t.slot, []*pkcs11.Mechanism{pkcs11.NewMechanism(how, nil)}); err != nil {
		return "", nil, keys.ErrUnsupported
	}
	name := "tegata-" + strings.ToLower(alg+"-"+rand.Text())
	err := t.with(func(s pkcs11.SessionHandle) error {
		public := append(named(name), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true))
		private := append(named(name), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
			pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false))
		_, _, err := t.ctx.GenerateKeyPair(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(how, nil)}, append(public, params...), private)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("pkcs11: generate: %w", err)
	}
	signer, err := t.Signer(name)
	return name, signer, err
}

func named(name string) []*pkcs11.Attribute {
	return []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, name), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(name))}
}
