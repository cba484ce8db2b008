package card

import (
	"bytes"
	"context"
	"sync"

	"tegata/authn/fail"
)

// application is one of the two applications on a card that we may talk to.
type application int

const (
	noApplication application = iota
	jpki                      // public key infrastructure: certificates, keys, their PINs
	cardInfo                  // input support (kenmen jiko nyuryoku hojo): the four attributes
)

// Every SELECT carries all ten bytes: a card takes a prefix for the first application that fits (card.md 1.1).
var applicationIDs = map[application][]byte{
	jpki:     {0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01},
	cardInfo: {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08},
}

// use says what may be done with a file; the zero value is "not even select it".
type use int

const (
	forbidden use = iota
	readable
	pinFile
	keyFile
)

// allowedFiles is the list. What is not on it does not exist for us: above all 0001 of the
// card-info application, the My Number (R1), which is why files are listed per application.
var allowedFiles = map[application]map[uint16]use{
	jpki: {
		fileSignCertificate: readable, fileSignCA: readable, fileToken: readable, fileCertificates: readable,
		fileAuthCertificate: readable, fileAuthCA: readable,
		fileAuthKey: keyFile, fileAuthPIN: pinFile, fileSignKey: keyFile, fileSignPassword: pinFile,
	},
	cardInfo: {
		fileAttributes: readable, fileAttributeProof: readable, fileCertifiedKey: readable, fileChipKey: readable,
		fileCardInfoPIN: pinFile, fileNumberB: pinFile,
	},
}

// SELECT (ISO/IEC 7816-4 11.1.1): P1 says by what; P2 is always 0C, no description wanted.
const (
	insSelect byte = 0xA4
	byDFName  byte = 0x04
	byFileID  byte = 0x02
)

// File ids, card.md 1.2 and 1.3.
const (
	fileSignCertificate uint16 = 0x0001
	fileSignCA          uint16 = 0x0002
	fileToken           uint16 = 0x0006
	fileCertificates    uint16 = 0x0008
	fileAuthCertificate uint16 = 0x000A
	fileAuthCA          uint16 = 0x000B
	fileAuthKey         uint16 = 0x0017
	fileAuthPIN         uint16 = 0x0018
	fileSignKey         uint16 = 0x001A
	fileSignPassword    uint16 = 0x001B

	fileAttributes     uint16 = 0x0002
	fileAttributeProof uint16 = 0x0003
	fileCertifiedKey   uint16 = 0x0004
	fileChipKey        uint16 = 0x0007
	fileCardInfoPIN    uint16 = 0x0011
	fileNumberB        uint16 = 0x0015
)

// In the card-info proof file these bytes are a bare SHA-256 of the My Number file. Twelve digits are
// found from their hash in seconds, and the regulator counts such derivatives as the number itself, so
// the firewall keeps reads off them (R1). The position follows from the file's fixed 336-byte layout.
const (
	numberHashStart = 8
	numberHashEnd   = 40
)

// Guard is the APDU firewall: it wraps a transport and lets only listed commands reach it.
// Everything else returns fail.APDUForbidden and never leaves this program. It follows which
// application and file are selected, because the same file id is a certificate here and the My Number
// there; an answer other than 9000 to a SELECT leaves nothing selected, and so nothing allowed.
// Open applies it by itself; wrapping twice changes nothing.
func Guard(t Transport) Transport {
	if g, ok := t.(*guard); ok {
		return g
	}
	return &guard{next: t}
}

type guard struct {
	next Transport
	mu   sync.Mutex // one command at a time, so that what is checked and what is selected cannot drift apart
	now  selection
}

// Transmit passes a listed command on and notes what the card has selected since.
func (g *guard) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next, ok := g.now.permit(command)
	if !ok {
		return nil, fail.APDUForbidden
	}
	g.now = g.now.during(command)
	response, err := g.next.Transmit(ctx, command)
	if err == nil && bytes.HasSuffix(response, []byte{0x90, 0x00}) {
		g.now = next
	}
	return response, err
}

// Close resets the card. It waits for nothing, so that a hung command cannot keep it from happening.
func (g *guard) Close() error { return g.next.Close() }

// selection is what the card has selected, as far as its answers prove it.
type selection struct {
	app  application
	file uint16 // 0 = none
}

// during is what is certain until a permitted command has answered 9000: choosing a file cannot
// change the application, choosing an application can fail half-way.
func (s selection) during(command []byte) selection {
	if command[1] != insSelect {
		return s
	}
	if command[2] == byDFName {
		return selection{}
	}
	return selection{app: s.app}
}

func (s selection) use() use { return allowedFiles[s.app][s.file] }

// permit decides about one command and tells what would be selected after its success.
func (s selection) permit(command []byte) (selection, bool) {
	if len(command) < 4 {
		return s, false
	}
	header, body := [4]byte(command), command[4:]
	switch header {
	case [4]byte{0x00, insSelect, byDFName, 0x0C}:
		return s.permitApplication(body)
	case [4]byte{0x00, insSelect, byFileID, 0x0C}:
		return s.permitFile(body)
	case [4]byte{0x00, 0x20, 0x00, 0x80}:
		return s, s.use() == pinFile && (len(body) == 0 || isPINBody(body))
	case [4]byte{0x80, 0x2A, 0x00, 0x80}:
		return s, s.use() == keyFile && isDigestInfoBody(body)
	case [4]byte{0x00, 0xC0, 0x00, 0x00}:
		return s, s.app != noApplication && len(body) == 1
	}
	isRead := header[0] == 0x00 && header[1] == 0xB0
	return s, isRead && s.permitRead(header, body)
}

func (s selection) permitApplication(body []byte) (selection, bool) {
	for app, id := range applicationIDs {
		if bytes.Equal(body, append([]byte{byte(len(id))}, id...)) {
			return selection{app: app}, true
		}
	}
	return s, false
}

func (s selection) permitFile(body []byte) (selection, bool) {
	if len(body) != 3 || body[0] != 2 {
		return s, false
	}
	next := selection{s.app, uint16(body[1])<<8 | uint16(body[2])}
	return next, next.use() != forbidden
}

// permitRead refuses P1 bit 8: then the low bits are a short file id, which selects behind our back.
func (s selection) permitRead(header [4]byte, body []byte) bool {
	if s.use() != readable || len(body) != 1 || header[2]&0x80 != 0 {
		return false
	}
	if s.app != cardInfo || s.file != fileAttributeProof {
		return true
	}
	start, length := int(header[2])<<8|int(header[3]), int(body[0])
	if length == 0 {
		length = 256
	}
	return start+length <= numberHashStart || start >= numberHashEnd
}

func isPINBody(body []byte) bool {
	return len(body) > 1 && len(body) <= 1+maxPIN && int(body[0]) == len(body)-1
}

// isDigestInfoBody keeps the keys to hashes: with P1=00 a card signs any bytes it is given (card.md 1.5).
func isDigestInfoBody(body []byte) bool {
	want := len(digestInfoSHA256) + 32
	return len(body) == want+2 && int(body[0]) == want && body[want+1] == 0 &&
		bytes.HasPrefix(body[1:], digestInfoSHA256)
}
