package card

import (
	"context"
	"errors"

	"tegata/authn/fail"
)

// tagSequence opens every certificate in DER.
const tagSequence = 0x30

// certificateThere is what the card writes for a certificate it holds; other values were never explained,
// so they count as absent (card.md 1.2).
const certificateThere = 0x8F

// AuthCertificate returns the user-authentication certificate in DER. It proves nothing yet:
// authn/jpki verifies it. On a phone it needs Verify(AuthPIN) first; without it the error is
// fail.CardRefused because of Status 6982. A blank or damaged file is fail.CardDataBroken.
func (c *Card) AuthCertificate(ctx context.Context) ([]byte, error) {
	return c.readObject(ctx, jpki, fileAuthCertificate, tagSequence)
}

// HasSignCertificate asks the card whether it holds a signature certificate, which children and
// people who opted out do not have. It needs no password. A card that keeps no such list (a phone)
// counts as holding one; SignCertificate then tells.
func (c *Card) HasSignCertificate(ctx context.Context) (bool, error) {
	err := c.selectFile(ctx, jpki, fileCertificates)
	if errors.Is(err, statusFileNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	first, err := c.readRange(ctx, 0, 1)
	if err != nil {
		return false, err
	}
	return first[0] == certificateThere, nil
}

// SignCertificate returns the signature certificate in DER; its alternative name holds the four
// attributes. It needs Verify(SignPassword) first: without it the error is fail.CardRefused because
// of Status 6982. fail.SignCertMissing when the card has none.
func (c *Card) SignCertificate(ctx context.Context) ([]byte, error) {
	has, err := c.HasSignCertificate(ctx)
	if err != nil {
		return nil, err
	}
	if !has {
		return nil, fail.SignCertMissing
	}
	der, err := c.readObject(ctx, jpki, fileSignCertificate, tagSequence)
	if errors.Is(err, errBlank) || errors.Is(err, statusFileNotFound) {
		return nil, fail.SignCertMissing.Because(err)
	}
	return der, err
}
