package pcsc

import (
	"context"
	"errors"
	"fmt"

	"tegata/authn/fail"
)

// Code is a result of the PC/SC API, the same numbers on every system. It is the cause inside a coded error:
// errors.Is(err, pcsc.NoService).
type Code uint32

// The codes that decide something here.
const (
	InvalidHandle     Code = 0x80100003
	InvalidParameter  Code = 0x80100004
	UnknownReader     Code = 0x80100009
	TimedOut          Code = 0x8010000A
	SharingViolation  Code = 0x8010000B // another program holds the card for itself
	NoCard            Code = 0x8010000C
	ProtocolMismatch  Code = 0x8010000F
	InvalidValue      Code = 0x80100011 // what pcscd says of a name that no reader could have
	CommError         Code = 0x80100013 // pcscd died while it was asked
	NotTransacted     Code = 0x80100016 // what pcscd says of a pulled card until it has noticed
	ReaderUnavailable Code = 0x80100017
	NoService         Code = 0x8010001D
	ServiceStopped    Code = 0x8010001E
	NoReaders         Code = 0x8010002E
	UnresponsiveCard  Code = 0x80100066 // upside down, dirty or broken
	UnpoweredCard     Code = 0x80100067
	ResetCard         Code = 0x80100068 // by somebody else: its state is gone
	RemovedCard       Code = 0x80100069
)

// Error gives the number; every system has its own words for it.
func (c Code) Error() string { return fmt.Sprintf("PC/SC result %08X", uint32(c)) }

var (
	// ErrNotBuilt says that this program was compiled without PC/SC.
	ErrNotBuilt = errors.New("built without cgo, and so without PC/SC")
	// ErrStuck says that PC/SC did not come back before the deadline.
	ErrStuck = errors.New("PC/SC did not answer in time")
	// ErrProtocol says that reader and card agreed on neither T=0 nor T=1.
	ErrProtocol = errors.New("a protocol other than T=0 and T=1")

	errClosed = errors.New("the session is over")
)

// verdicts gives each code the error that tells a person what to do. Codes that are not here are
// errors of the place where they came up; see coded.
var verdicts = map[Code]*fail.Error{
	InvalidParameter: fail.ReaderNone, InvalidValue: fail.ReaderNone, UnknownReader: fail.ReaderNone, ReaderUnavailable: fail.ReaderNone, NoReaders: fail.ReaderNone,
	SharingViolation: fail.ReaderBusy,
	NoCard:           fail.CardNone,
	ProtocolMismatch: fail.CardUnsupported,
	NotTransacted:    fail.CardRemoved, UnresponsiveCard: fail.CardRemoved, UnpoweredCard: fail.CardRemoved,
	ResetCard: fail.CardRemoved, RemovedCard: fail.CardRemoved,
	NoService: fail.PCSCUnavailable, ServiceStopped: fail.PCSCUnavailable, InvalidHandle: fail.PCSCUnavailable, CommError: fail.PCSCUnavailable,
}

// coded gives an error of PC/SC the code that tells a person what to do, or otherwise when none fits. What is coded already and what
// says that the caller gave up stays as it is.
func coded(err error, otherwise *fail.Error) error {
	var (
		code Code
		done *fail.Error
	)
	switch {
	case err == nil, errors.As(err, &done), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &code) && verdicts[code] != nil:
		return verdicts[code].Because(err)
	}
	return otherwise.Because(err)
}
