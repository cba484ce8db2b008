// Package card speaks to a My Number Card at APDU level: it selects, reads, verifies a PIN and signs.
// It owns the commands, the status words, the retry counters, the files it may touch, and the
// firewall that stops every other command (R1). It refuses to know readers and operating systems
// (authn/card/pcsc), who asks for the PIN, what is signed and why, and whether a certificate is
// trusted (authn/jpki). It never reads the My Number, nor anything computed from it.
package card

import (
	"context"
	"errors"
	"fmt"

	"tegata/authn/fail"
)

// Transport carries one command to one card and brings its answer back.
//
// Transmit returns data followed by the two status bytes. It honours ctx: a reader that hangs must
// not hang its caller. The command belongs to the caller again once Transmit returns (the caller wipes
// it), so a transport that abandons a call at its deadline works on its own copy.
// Errors with a code of authn/fail pass through unchanged, all others become fail.CardRemoved.
//
// Close resets the card, so that no verified PIN outlives the session.
type Transport interface {
	Transmit(ctx context.Context, command []byte) (response []byte, err error)
	Close() error
}

// Status is the status word that ends an answer (ISO/IEC 7816-4 5.6). As an error it is the cause
// inside a coded error: errors.Is(err, card.Status(0x6982)).
type Status uint16

// The status words that decide something here; card.md 1.6 lists what cards were seen to answer.
const (
	statusOK             Status = 0x9000
	statusEndOfFile      Status = 0x6282 // with data: fewer bytes than asked for
	statusNoNumber       Status = 0x6300
	statusLastTrySpent   Status = 0x63C0
	statusWrongLength    Status = 0x6700
	statusWrongFile      Status = 0x6981
	statusBlocked        Status = 0x6983 // ISO wording
	statusBlockedJICSAP  Status = 0x6984 // "referenced IEF blocked": what these cards answer
	statusNoCurrentFile  Status = 0x6986
	statusFileNotFound   Status = 0x6A82
	statusWrongP1P2      Status = 0x6A86
	statusNoReference    Status = 0x6A88
	statusOffsetTooLarge Status = 0x6B00
	statusUnknownINS     Status = 0x6D00
	statusUnknownCLA     Status = 0x6E00
)

// Error names the status word; it carries nothing from the card's files.
func (s Status) Error() string { return fmt.Sprintf("status word %04X", uint16(s)) }

// triesLeft reads the x of 63Cx.
func (s Status) triesLeft() (int, bool) { return int(s & 0xF), s&0xFFF0 == 0x63C0 }

type answer struct {
	data   []byte
	status Status
}

var errShortAnswer = errors.New("an answer without a status word")

// transmit sends one command, once, and splits the answer.
func transmit(ctx context.Context, t Transport, command []byte) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	return split(t.Transmit(ctx, command))
}

// split takes the status word off an answer. A card pulled in the middle of a command shows as an empty
// answer without an error (card.md 3.5).
func split(raw []byte, err error) (answer, error) {
	if err != nil {
		return answer{}, lost(err)
	}
	if len(raw) < 2 {
		return answer{}, fail.CardRemoved.Because(errShortAnswer)
	}
	n := len(raw) - 2
	return answer{raw[:n], Status(raw[n])<<8 | Status(raw[n+1])}, nil
}

// lost gives a code to a transport's error, unless it has one or says that the caller gave up.
func lost(err error) error {
	var coded *fail.Error
	if errors.As(err, &coded) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fail.CardRemoved.Because(err)
}

// maxRounds bounds 61xx and 6Cxx: the longest answer we ask for fits in two, a card that asks for more is broken.
const maxRounds = 8

var errTooManyRounds = errors.New("the card keeps asking for another round")

// exchange sends a command that ends in Le and follows 61xx (more data waits) and 6Cxx (wrong Le).
// It is never used for VERIFY, which must not be sent twice.
func exchange(ctx context.Context, t Transport, command []byte) (answer, error) {
	var data []byte
	for range maxRounds {
		a, err := transmit(ctx, t, command)
		if err != nil {
			return answer{}, err
		}
		data = append(data, a.data...)
		switch a.status >> 8 {
		case 0x61:
			command = []byte{0x00, 0xC0, 0x00, 0x00, byte(a.status)}
		case 0x6C:
			command = append(command[:len(command)-1:len(command)-1], byte(a.status))
		default:
			return answer{data, a.status}, nil
		}
	}
	return answer{}, fail.CardDataBroken.Because(errTooManyRounds)
}
