package cardtest

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"slices"

	"tegata/authn/card"
)

// Counters as issued (card.md 1.2 and 1.3).
const (
	maxAuthTries     = 3
	maxPasswordTries = 5
	maxCardInfoTries = 3
	maxNumberBTries  = 10
)

// counter is one secret of the card. It outlives sessions; only the right secret fills it up again.
type counter struct {
	secret     string
	left, most int
}

// try compares an entry and counts it. A locked counter does not compare.
func (c *counter) try(entry []byte) status {
	switch {
	case c.left == 0:
		return swBlocked
	case string(entry) == c.secret:
		c.left = c.most
		return swOK
	}
	c.left--
	return c.query()
}

func (c *counter) query() status { return swTriesLeft | status(c.left) }

// file is an elementary file: bytes, a secret or a key.
type file struct {
	data    []byte
	secret  *counter
	key     crypto.Signer
	opens   []*counter // any of these opens data or key; none = free
	alarmed bool       // selecting it is what no program of this project may do
}

type application struct {
	id      []byte
	files   map[uint16]*file
	alarmed bool
}

// applications are in the order in which a card compares a prefix: the resident registry comes before
// the card-info application, so that a short AID meets the wrong one.
func applications(p Persona, m Material, counters map[card.PIN]*counter) []*application {
	return []*application{
		{id: aid(0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01), alarmed: true}, // resident registry
		{id: aid(0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02), alarmed: true}, // card face
		{id: aid(0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08), files: cardInfoFiles(p, m, counters)},
		{id: aid(0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01), files: jpkiFiles(m, counters)},
	}
}

func aid(b ...byte) []byte { return b }

func jpkiFiles(m Material, counters map[card.PIN]*counter) map[uint16]*file {
	auth, password := counters[card.AuthPIN], counters[card.SignPassword]
	there := []byte{0x8F, 0x8F, 0x00}
	if m.SignCert == nil {
		there[0] = 0x00
	}
	files := map[uint16]*file{
		0x0001: {data: padded(m.SignCert, 0x00), opens: []*counter{password}},
		0x0002: {data: padded(m.SignCA, 0x00)},
		0x0006: {data: tokenInfo()},
		0x0008: {data: there},
		0x000A: {data: padded(m.AuthCert, 0xFF)},
		0x000B: {data: padded(m.AuthCA, 0xFF)},
		0x0017: {key: m.AuthKey, opens: []*counter{auth}},
		0x0018: {secret: auth},
		0x001B: {secret: password},
	}
	if m.SignKey != nil {
		files[0x001A] = &file{key: m.SignKey, opens: []*counter{password}}
	}
	return files
}

func cardInfoFiles(p Persona, m Material, counters map[card.PIN]*counter) map[uint16]*file {
	pin, numberB := counters[card.CardInfoPIN], counters[card.NumberB]
	attributes := EncodeCardInfo(p)
	files := map[uint16]*file{
		0x0001: {data: numberFiller(), opens: []*counter{pin}, alarmed: true},
		0x0002: {data: padded(attributes, 0xFF), opens: []*counter{pin, numberB}},
		0x0011: {secret: pin},
		0x0012: {secret: &counter{}}, // blocked as issued
		0x0015: {secret: numberB},
	}
	if m.CardInfoKey == nil {
		return files
	}
	proof, err := SignCardInfo(attributes, m.CardInfoKey)
	if err != nil {
		panic("cardtest: Material.CardInfoKey cannot sign: " + err.Error())
	}
	files[0x0003] = &file{data: proof, opens: []*counter{pin, numberB}}
	files[0x0004] = &file{data: m.CardInfoCVC}
	return files
}

// padded puts an object in a file that is larger, as on a card.
func padded(object []byte, filler byte) []byte {
	size := max(2048, len(object)+64)
	return append(slices.Clone(object), bytes.Repeat([]byte{filler}, size-len(object))...)
}

// tokenInfo is EF 0006: a PKCS#11 CK_TOKEN_INFO frozen as bytes, numbers big-endian.
func tokenInfo() []byte {
	var info []byte
	for _, text := range []struct {
		value string
		width int
	}{{"JPKIAPICCTOKEN2", 32}, {"TEGATA VIRTUAL CARD", 32}, {"VIRTUAL", 16}, {"0", 16}} {
		field := bytes.Repeat([]byte{' '}, text.width)
		copy(field, text.value)
		info = append(info, field...)
	}
	const unavailable = 0xFFFFFFFF
	numbers := []uint32{
		0x040D,     // flags: random numbers, login required, PIN and token initialised
		1, 0, 1, 0, // most and current sessions, the same for read-write ones
		16, 6, // longest and shortest PIN
		unavailable, unavailable, unavailable, unavailable, // memory
	}
	for _, n := range numbers {
		info = binary.BigEndian.AppendUint32(info, n)
	}
	info = append(info, 2, 0, 2, 0) // hardware and firmware version
	return append(info, bytes.Repeat([]byte{' '}, 16)...)
}
