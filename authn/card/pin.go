package card

import (
	"context"
	"errors"
	"strings"

	"tegata/authn/fail"
)

// PIN names one of the card's secrets, never its value. The zero value names none.
type PIN int

const (
	AuthPIN      PIN = iota + 1 // 4 digits, 3 tries: opens the authentication key
	SignPassword                // 6 to 16 of A-Z and 0-9, 5 tries: opens the signature key and certificate
	CardInfoPIN                 // 4 digits, 3 tries: opens the card-info application
	NumberB                     // verification number B: 14 digits, 10 tries; opens the four attributes alone
)

const (
	maxPIN       = 16
	digits       = "0123456789"
	passwordText = digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

type pinRule struct {
	app      application
	file     uint16
	min, max int
	alphabet string
}

var pinRules = map[PIN]pinRule{
	AuthPIN:      {jpki, fileAuthPIN, 4, 4, digits},
	SignPassword: {jpki, fileSignPassword, 6, maxPIN, passwordText},
	CardInfoPIN:  {cardInfo, fileCardInfoPIN, 4, 4, digits},
	NumberB:      {cardInfo, fileNumberB, 14, 14, digits},
}

func (r pinRule) fits(secret []byte) bool {
	return len(secret) >= r.min && len(secret) <= r.max && onlyFrom(r.alphabet, secret)
}

func onlyFrom(alphabet string, secret []byte) bool {
	for _, b := range secret {
		if strings.IndexByte(alphabet, b) < 0 {
			return false
		}
	}
	return true
}

var errNoSuchPIN = errors.New("no such PIN kind")

// Tries asks how many entries are left without spending one: 0 is locked, fail.NoTries means that the
// card did not tell (it answers 9000 when the PIN is verified already).
func (c *Card) Tries(ctx context.Context, p PIN) (int, error) {
	rule, ok := pinRules[p]
	if !ok {
		return fail.NoTries, fail.Internal.Because(errNoSuchPIN)
	}
	if err := c.selectFile(ctx, rule.app, rule.file); err != nil {
		return fail.NoTries, err
	}
	return c.currentTries(ctx)
}

// currentTries is the VERIFY without data, exactly four bytes: with a fifth, cards answer 6700 (card.md 1.5).
func (c *Card) currentTries(ctx context.Context) (int, error) {
	a, err := transmit(ctx, c.transport, []byte{0x00, 0x20, 0x00, 0x80})
	if err != nil {
		return fail.NoTries, err
	}
	if n, ok := a.status.triesLeft(); ok {
		return n, nil
	}
	switch a.status {
	case statusBlocked, statusBlockedJICSAP:
		return 0, nil
	case statusOK, statusNoNumber:
		return fail.NoTries, nil
	}
	return fail.NoTries, a.refusal()
}

// Verify presents a secret to the card, at most once, and spends a try if it is wrong. The last try is
// spent like any other: ask Tries before, and the person. The caller wipes secret afterwards.
//
// Errors: fail.PINFormat (the card was not asked), fail.PINWrong with the tries left (at least 1),
// fail.PINLocked (found out before or by this entry), fail.PINUnknown when nobody knows whether a try
// was spent (the card left, or a status word without meaning; read Tries before going on).
func (c *Card) Verify(ctx context.Context, p PIN, secret []byte) error {
	rule, ok := pinRules[p]
	if !ok {
		return fail.Internal.Because(errNoSuchPIN)
	}
	if !rule.fits(secret) {
		return fail.PINFormat
	}
	if err := c.readyFor(ctx, rule); err != nil {
		return err
	}
	return c.present(ctx, secret)
}

// readyFor selects the PIN and asks for its counter: one short command that keeps the secret from a locked PIN and
// from a file that is no PIN.
func (c *Card) readyFor(ctx context.Context, rule pinRule) error {
	if err := c.selectFile(ctx, rule.app, rule.file); err != nil {
		return err
	}
	left, err := c.currentTries(ctx)
	if err != nil {
		return err
	}
	if left == 0 {
		return fail.PINLocked.Left(0)
	}
	return nil
}

// present sends the VERIFY. Once it has left, every error is "unknown": resending could lock the card.
func (c *Card) present(ctx context.Context, secret []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	command := append([]byte{0x00, 0x20, 0x00, 0x80, byte(len(secret))}, secret...)
	defer clear(command)
	a, err := transmit(ctx, c.transport, command)
	if errors.Is(err, fail.APDUForbidden) {
		return err
	}
	if err != nil {
		return fail.PINUnknown.Because(err)
	}
	return verdict(a.status)
}

func verdict(s Status) error {
	left, counted := s.triesLeft()
	if counted && left > 0 {
		return fail.PINWrong.Left(left)
	}
	switch s {
	case statusOK:
		return nil
	case statusLastTrySpent, statusBlocked, statusBlockedJICSAP:
		return fail.PINLocked.Left(0)
	case statusWrongLength, statusWrongFile, statusNoCurrentFile, statusWrongP1P2, statusNoReference,
		statusUnknownINS, statusUnknownCLA:
		return fail.CardRefused.Because(s) // the command was refused before any secret was compared
	}
	return fail.PINUnknown.Because(s)
}

// NormalizeDigits makes the bytes a card expects from a typed PIN or verification number: full-width
// digits become ASCII. Anything but digits, or nothing at all, is fail.PINFormat; how many there must
// be depends on the PIN and is Verify's to say. The caller wipes the result.
func NormalizeDigits(entry string) ([]byte, error) {
	secret := foldWidth(entry)
	if len(secret) == 0 || len(secret) > maxPIN || !onlyFrom(digits, secret) {
		return nil, fail.PINFormat
	}
	return secret, nil
}

// NormalizePassword makes the bytes a card expects from a typed signature password: full-width forms
// become ASCII and lower case becomes upper case, as at the municipal counter. What then is not 6 to
// 16 of A-Z and 0-9 is fail.PINFormat. The caller wipes the result.
func NormalizePassword(entry string) ([]byte, error) {
	secret := foldWidth(entry)
	for i, b := range secret {
		if 'a' <= b && b <= 'z' {
			secret[i] = b - 'a' + 'A'
		}
	}
	if !pinRules[SignPassword].fits(secret) {
		clear(secret)
		return nil, fail.PINFormat
	}
	return secret, nil
}

// foldWidth maps the full-width block U+FF01..FF5E to ASCII, which is all that NFKC would do to an
// entry that can be right. Other characters become a byte that no PIN contains.
func foldWidth(entry string) []byte {
	secret := make([]byte, 0, len(entry))
	for _, r := range entry {
		switch {
		case r < 0x80:
			secret = append(secret, byte(r))
		case 0xFF01 <= r && r <= 0xFF5E:
			secret = append(secret, byte(r-0xFF01+'!'))
		default:
			secret = append(secret, 0)
		}
	}
	return secret
}
