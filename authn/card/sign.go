package card

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"

	"tegata/authn/fail"
)

// digestInfoSHA256 precedes a SHA-256 hash in a PKCS#1 v1.5 signature (RFC 8017 9.2 note 1).
var digestInfoSHA256 = []byte{
	0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
}

var (
	errOnlySHA256  = errors.New("this card signs SHA-256 hashes with PKCS#1 v1.5 only")
	errPublicKey   = errors.New("the certificate's key is not RSA")
	errNotThisCard = errors.New("the signature is not by the certificate's key")
)

// AuthSigner signs with the authentication key, after Verify(AuthPIN), under ctx.
// cert is the certificate read from this card before: every signature is checked with its key, so a
// card that was swapped or lies is found out here (fail.SignatureInvalid).
// The signer takes SHA-256 hashes only and makes PKCS#1 v1.5 signatures (JWS RS256); any other
// wish is fail.Internal, a certificate without an RSA key is fail.CardUnsupported.
func (c *Card) AuthSigner(ctx context.Context, cert *x509.Certificate) crypto.Signer {
	return &signer{ctx, c, fileAuthKey, cert.PublicKey}
}

// SignSigner signs with the signature key, after Verify(SignPassword); otherwise as AuthSigner.
func (c *Card) SignSigner(ctx context.Context, cert *x509.Certificate) crypto.Signer {
	return &signer{ctx, c, fileSignKey, cert.PublicKey}
}

// signer lives for one statement; it keeps a context because crypto.Signer has no room for one.
type signer struct {
	ctx    context.Context
	card   *Card
	key    uint16
	public crypto.PublicKey
}

// Public is the key of the certificate, not something the card claims.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign ignores its random source: PKCS#1 v1.5 needs none.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	public, ok := s.public.(*rsa.PublicKey)
	if !ok {
		return nil, fail.CardUnsupported.Because(errPublicKey)
	}
	if _, pss := opts.(*rsa.PSSOptions); pss || opts == nil || opts.HashFunc() != crypto.SHA256 || len(digest) != 32 {
		return nil, fail.Internal.Because(errOnlySHA256)
	}
	signature, err := s.card.sign(s.ctx, s.key, digest)
	if err != nil {
		return nil, err
	}
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest, signature); err != nil {
		return nil, fail.SignatureInvalid.Because(errNotThisCard)
	}
	return signature, nil
}

// sign hands the card a DigestInfo; the card adds the padding (card.md 1.5, P1=00).
func (c *Card) sign(ctx context.Context, key uint16, digest []byte) ([]byte, error) {
	if err := c.selectFile(ctx, jpki, key); err != nil {
		return nil, err
	}
	command := []byte{0x80, 0x2A, 0x00, 0x80, byte(len(digestInfoSHA256) + len(digest))}
	command = append(append(append(command, digestInfoSHA256...), digest...), 0x00)
	a, err := exchange(ctx, c.transport, command)
	if err != nil {
		return nil, err
	}
	return a.data, a.refusal()
}
