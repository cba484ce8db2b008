package pcsc

import (
	"context"
	"encoding/binary"

	"tegata/authn/fail"
)

// Part 10 of the PC/SC specification: what a reader with keys can do, and how it is asked to.
const (
	functionGetFeatures  = 3400 // CM_IOCTL_GET_FEATURE_REQUEST
	featureVerifyDirect  = 0x06 // FEATURE_VERIFY_PIN_DIRECT
	featureEntrySize     = 6    // tag, length 4, control code (big-endian)
	padSeconds           = 60   // how long the reader waits for keys
	formatASCIIFromByte0 = 0x82 // bmFormatString: units are bytes, offset 0 into the data, left-justified, ASCII
	validateByEnterKey   = 0x02 // bEntryValidationCondition
	oneMessage           = 0x01 // bNumberMessage
	languageJapanese     = 0x0411
	messageEnterPIN      = 0x00
	verifyHeaderLength   = 5
)

// HasPad asks the reader whether it verifies PINs on keys of its own.
func (w *wire) HasPad(ctx context.Context) bool {
	code, err := w.padCode(ctx)
	return err == nil && code != 0
}

// padCode asks once; a reader does not grow keys.
func (w *wire) padCode(ctx context.Context) (uint32, error) {
	return do(ctx, w.line, w.limits.Command, func() (uint32, error) {
		if w.asked {
			return w.pad, nil
		}
		features, err := w.handle.control(controlCode(functionGetFeatures), nil)
		if err != nil {
			return 0, err // readers without any features refuse
		}
		w.asked, w.pad = true, findFeature(features, featureVerifyDirect)
		return w.pad, nil
	})
}

// EnterPIN hands the command to the reader and waits for the person.
func (w *wire) EnterPIN(ctx context.Context, verify []byte) ([]byte, error) {
	code, err := w.padCode(ctx)
	if err != nil || code == 0 {
		return nil, fail.Internal.Because(err)
	}
	order := pinVerifyStructure(verify)
	response, err := do(ctx, w.line, w.limits.Pad, func() ([]byte, error) { return w.handle.control(code, order) })
	return response, w.notice(err)
}

// findFeature looks for a tag in the reader's list; 0 = it is not there. A list that is not made of whole entries is cut short.
func findFeature(features []byte, tag byte) uint32 {
	for ; len(features) >= featureEntrySize; features = features[featureEntrySize:] {
		if features[1] != 4 {
			return 0
		}
		if features[0] == tag {
			return binary.BigEndian.Uint32(features[2:])
		}
	}
	return 0
}

// pinVerifyStructure is PIN_VERIFY (part 10, 2.5.2): numbers little-endian as on every machine that we run on. The number of digits is that of the command's
// placeholders, which the reader overwrites, neither padded nor preceded by a length.
func pinVerifyStructure(verify []byte) []byte {
	n := byte(len(verify) - verifyHeaderLength)
	s := []byte{
		padSeconds,           // bTimerOut: until the first key
		padSeconds,           // bTimerOut2: until the last
		formatASCIIFromByte0, // bmFormatString
		n & 0x0F,             // bmPINBlockString: no length field, a block of n bytes
		0,                    // bmPINLengthFormat
		n, n,                 // wPINMaxExtraDigit: most and least number of digits
		validateByEnterKey,
		oneMessage,
	}
	s = binary.LittleEndian.AppendUint16(s, languageJapanese)
	s = append(s, messageEnterPIN, 0, 0, 0) // bMsgIndex, bTeoPrologue
	s = binary.LittleEndian.AppendUint32(s, uint32(len(verify)))
	return append(s, verify...)
}
