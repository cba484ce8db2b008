package card

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"tegata/authn/fail"
)

// Tags of the card-info application, card.md 1.3.
const (
	tagAttributes     uint16 = 0xFF20
	tagOffsets        uint16 = 0xDF21
	tagName           uint16 = 0xDF22
	tagAddress        uint16 = 0xDF23
	tagBirth          uint16 = 0xDF24
	tagSex            uint16 = 0xDF25
	tagProof          uint16 = 0xFF30
	tagNumberHash     uint16 = 0xDF31
	tagAttributeHash  uint16 = 0xDF32
	tagProofSignature uint16 = 0xDF33
)

// CardInfoFiles is the evidence from the card-info application, each file cut to its one object.
// It is personal data: it prints as stars and belongs in no log.
//
// EF0003 is as on the card except that the hash of the My Number file is zero bytes. That hash is
// never read (see Guard), and ParseCardInfo's counterpart VerifyCardInfo refuses evidence that carries one.
type CardInfoFiles struct {
	EF0002 []byte // FF20: the four attributes
	EF0003 []byte // FF30: hash of EF0002 and the card's signature
	EF0004 []byte // 7F21: certificate of the card's key
}

// String hides the content from fmt.
func (CardInfoFiles) String() string { return "[card info]" }

// LogValue hides the content from slog.
func (f CardInfoFiles) LogValue() slog.Value { return slog.StringValue(f.String()) }

// ReadCardInfo reads the three files, after Verify(CardInfoPIN) or Verify(NumberB); without it the error
// is fail.CardRefused because of Status 6982. A card without the application (a phone) is
// fail.CardUnsupported, an unreadable file fail.CardDataBroken.
func (c *Card) ReadCardInfo(ctx context.Context) (CardInfoFiles, error) {
	attributes, err := c.readObject(ctx, cardInfo, fileAttributes, 0xFF, 0x20)
	if err != nil {
		return CardInfoFiles{}, err
	}
	proof, err := c.readProof(ctx)
	if err != nil {
		return CardInfoFiles{}, err
	}
	certified, err := c.readObject(ctx, cardInfo, fileCertifiedKey, 0x7F, 0x21)
	if err != nil {
		return CardInfoFiles{}, err
	}
	return CardInfoFiles{attributes, proof, certified}, nil
}

var errProofLayout = errors.New("the proof file is not laid out as known")

// readProof reads FF30 82 hh ll DF31 20, steps over the 32 bytes of the number's hash and reads the rest.
// A card with another layout is refused rather than explored.
func (c *Card) readProof(ctx context.Context) ([]byte, error) {
	if err := c.selectFile(ctx, cardInfo, fileAttributeProof); err != nil {
		return nil, err
	}
	head, err := c.readRange(ctx, 0, numberHashStart)
	if err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(head[3:]))
	layout := append([]byte{0xFF, 0x30, 0x82}, head[3], head[4], 0xDF, 0x31, numberHashEnd-numberHashStart)
	end := 5 + length
	if !bytes.Equal(head, layout) || end < numberHashEnd {
		return nil, fail.CardDataBroken.Because(errProofLayout)
	}
	rest, err := c.readRange(ctx, numberHashEnd, end-numberHashEnd)
	if err != nil {
		return nil, err
	}
	return append(append(head, make([]byte, numberHashEnd-numberHashStart)...), rest...), nil
}

// CardInfo is the four attributes as the card states them, self-asserted until VerifyCardInfo agrees.
// It prints as stars.
type CardInfo struct {
	Name    string // family and given name separated by U+3000; a mononym has no separator
	Address string // no postcode
	Birth   string // YYYYMMDD, Gregorian; month and day may be 00
	Sex     string // one digit, ISO 5218: 1 male, 2 female, 9 not applicable, 0 unknown
}

// String hides the content from fmt.
func (CardInfo) String() string { return "[card info]" }

// LogValue hides the content from slog.
func (i CardInfo) LogValue() slog.Value { return slog.StringValue(i.String()) }

var (
	errOffsets = errors.New("the offsets table does not point at the attributes")
	errText    = errors.New("an attribute that is not text of its format")
)

// ParseCardInfo reads the object of EF 0002 strictly: all four attributes and the offsets table once,
// nothing else, UTF-8 without control characters. Anything else is fail.CardDataBroken.
// Whether the date exists is not its question.
func ParseCardInfo(ef0002 []byte) (CardInfo, error) {
	info, err := parseCardInfo(ef0002)
	if err != nil {
		return CardInfo{}, fail.CardDataBroken.Because(err)
	}
	return info, nil
}

func parseCardInfo(ef0002 []byte) (CardInfo, error) {
	file, err := onlyTLV(ef0002, tagAttributes)
	if err != nil {
		return CardInfo{}, err
	}
	got, err := members(file.value, tagOffsets, tagName, tagAddress, tagBirth, tagSex)
	if err != nil {
		return CardInfo{}, err
	}
	if err := checkOffsets(ef0002, got); err != nil {
		return CardInfo{}, err
	}
	info := CardInfo{string(got[tagName].value), string(got[tagAddress].value), string(got[tagBirth].value), string(got[tagSex].value)}
	if !isText(info.Name) || info.Name == "" || !isText(info.Address) || !isDigits(info.Birth, 8) || !isDigits(info.Sex, 1) {
		return CardInfo{}, errText
	}
	return info, nil
}

// checkOffsets compares DF21, four 16-bit positions in the file, with where the objects are:
// two readers of one card must not see two names.
func checkOffsets(ef0002 []byte, got map[uint16]object) error {
	table := got[tagOffsets].value
	if len(table) != 8 {
		return errOffsets
	}
	for i, tag := range []uint16{tagName, tagAddress, tagBirth, tagSex} {
		at := int(binary.BigEndian.Uint16(table[2*i:]))
		if at >= len(ef0002) {
			return errOffsets
		}
		o, _, err := readTLV(ef0002[at:])
		if err != nil || &o.whole[0] != &got[tag].whole[0] {
			return errOffsets
		}
	}
	return nil
}

func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

func isDigits(s string, n int) bool { return len(s) == n && onlyFrom(digits, []byte(s)) }
