package card_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/card"
	"tegata/authn/fail"
)

var (
	jpkiAID     = []byte{0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01}
	cardInfoAID = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08}
	registryAID = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01}
	cardFaceAID = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02}
	commonAID   = []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00}

	// The list, written down a second time so that a slip in the code does not allow itself.
	listed = map[string][]uint16{
		string(jpkiAID):     {0x0001, 0x0002, 0x0006, 0x0008, 0x000A, 0x000B, 0x0017, 0x0018, 0x001A, 0x001B},
		string(cardInfoAID): {0x0002, 0x0003, 0x0004, 0x0007, 0x0011, 0x0015},
	}
)

func selectAID(aid []byte) []byte {
	return append([]byte{0x00, 0xA4, 0x04, 0x0C, byte(len(aid))}, aid...)
}

func selectEF(id uint16) []byte {
	return []byte{0x00, 0xA4, 0x02, 0x0C, 2, byte(id >> 8), byte(id)}
}

// witness stands where the card stands. It judges every command that comes through, without knowing
// how the firewall decides, and keeps all applications that could be selected on a malicious card.
type witness struct {
	t        interface{ Errorf(string, ...any) }
	possible [][]byte // AIDs
	file     uint16
	answer   func(command []byte) ([]byte, error)
	seen     int
}

func (w *witness) Close() error { return nil }

func (w *witness) Transmit(_ context.Context, c []byte) ([]byte, error) {
	w.seen++
	response, err := w.answer(c)
	ok := err == nil && bytes.Equal(response, []byte{0x90, 0x00})
	switch {
	case len(c) == 15 && bytes.Equal(c[:5], []byte{0, 0xA4, 4, 0x0C, 10}):
		w.selectedApplication(c[5:], ok)
	case len(c) == 7 && bytes.Equal(c[:5], []byte{0, 0xA4, 2, 0x0C, 2}):
		w.selectedFile(uint16(c[5])<<8 | uint16(c[6]))
	case len(c) == 5 && c[0] == 0 && c[1] == 0xB0 && c[2] < 0x80:
		w.read(int(c[2])<<8|int(c[3]), (int(c[4])+255)%256+1)
	case bytes.Equal(c, []byte{0, 0x20, 0, 0x80}), len(c) > 5 && bytes.Equal(c[:4], []byte{0, 0x20, 0, 0x80}) && int(c[4]) == len(c)-5 && len(c) <= 21:
		w.onlyOn("VERIFY", 0x0018, 0x001B, 0x0011, 0x0015)
	case len(c) == 57 && bytes.Equal(c[:8], []byte{0x80, 0x2A, 0, 0x80, 51, 0x30, 0x31, 0x30}) && c[56] == 0:
		w.onlyOn("COMPUTE DIGITAL SIGNATURE", 0x0017, 0x001A)
	case len(c) == 5 && bytes.Equal(c[:4], []byte{0, 0xC0, 0, 0}):
	default:
		w.t.Errorf("a command of no listed shape: %X", c)
	}
	return response, err
}

func (w *witness) selectedApplication(aid []byte, ok bool) {
	if listed[string(aid)] == nil {
		w.t.Errorf("application %X", aid)
	}
	if ok {
		w.possible = nil
	}
	w.possible = append(w.possible, bytes.Clone(aid))
	w.file = 0
}

func (w *witness) selectedFile(id uint16) {
	if len(w.possible) == 0 {
		w.t.Errorf("file %04X with no application selected", id)
	}
	for _, aid := range w.possible {
		if !slices.Contains(listed[string(aid)], id) {
			w.t.Errorf("file %04X may be that of application %X", id, aid)
		}
	}
	w.file = id
}

func (w *witness) read(offset, n int) {
	if w.file == 0 {
		w.t.Errorf("READ BINARY with no file selected")
	}
	isCardInfo := slices.ContainsFunc(w.possible, func(aid []byte) bool { return bytes.Equal(aid, cardInfoAID) })
	if isCardInfo && w.file == 0x0003 && offset < 40 && offset+n > 8 {
		w.t.Errorf("READ BINARY touches the hash of the My Number: %d bytes at %d", n, offset)
	}
}

func (w *witness) onlyOn(what string, files ...uint16) {
	if !slices.Contains(files, w.file) {
		w.t.Errorf("%s on file %04X", what, w.file)
	}
}

func always(response ...byte) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return response, nil }
}

// commands are drawn close to the edges of the list: right shapes with a wrong part.
func commands() *rapid.Generator[[]byte] {
	pick := rapid.SampledFrom[[][]byte]
	aids := rapid.Custom(func(t *rapid.T) []byte {
		aid := pick([][]byte{jpkiAID, cardInfoAID, registryAID, cardFaceAID, commonAID}).Draw(t, "aid")
		return aid[:rapid.SampledFrom([]int{10, 10, 10, 10, 9, 8, 7, 5, 1, 0}).Draw(t, "prefix")]
	})
	ids := rapid.OneOf(rapid.Uint16Range(0, 0x20), rapid.Uint16())
	header := rapid.SampledFrom([]byte{0x00, 0x00, 0x00, 0x10, 0x80, 0x90, 0x01, 0x0C})
	shapes := rapid.Custom(func(t *rapid.T) []byte {
		switch rapid.IntRange(0, 6).Draw(t, "shape") {
		case 0:
			return selectAID(aids.Draw(t, "AID"))
		case 1, 2:
			return selectEF(ids.Draw(t, "id"))
		case 3:
			return []byte{0x00, 0xB0, rapid.SampledFrom([]byte{0, 0, 1, 0x7F, 0x80, 0x81, 0x83}).Draw(t, "P1"), rapid.Byte().Draw(t, "P2"), rapid.Byte().Draw(t, "Le")}
		case 4:
			secret := rapid.SliceOfN(rapid.Byte(), 0, 18).Draw(t, "secret")
			return append([]byte{0x00, 0x20, 0x00, rapid.SampledFrom([]byte{0x80, 0x80, 0x98, 0x91, 0x00}).Draw(t, "P2"), byte(len(secret))}, secret...)
		case 5:
			return append([]byte{0x80, 0x2A, 0x00, rapid.SampledFrom([]byte{0x80, 0x97, 0x00}).Draw(t, "P2"), 51}, rapid.SliceOfN(rapid.Byte(), 52, 52).Draw(t, "input")...)
		}
		return []byte{0x00, 0xC0, 0x00, 0x00, rapid.Byte().Draw(t, "Le")}
	})
	return rapid.Custom(func(t *rapid.T) []byte {
		c := shapes.Draw(t, "command")
		switch rapid.IntRange(0, 9).Draw(t, "change") {
		case 0:
			c[0] = header.Draw(t, "CLA")
		case 1:
			c = append(c, rapid.SliceOfN(rapid.Byte(), 1, 3).Draw(t, "tail")...)
		case 2:
			c = c[:rapid.IntRange(0, len(c)).Draw(t, "cut")]
		case 3: // the extended form of the same command
			c = append(append(bytes.Clone(c[:4]), 0, 0), c[4:]...)
		case 4:
			c[rapid.IntRange(0, len(c)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		case 5:
			c = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "random")
		}
		return c
	})
}

// The firewall holds against every order of commands and every answer: success, refusal, a lost card.
func TestNothingUnlistedPassesTheFirewall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &witness{t: t}
		guarded := card.Guard(w)
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			command := commands().Draw(t, "command")
			response := rapid.SampledFrom([][]byte{{0x90, 0}, {0x90, 0}, {0x90, 0}, {0x6A, 0x82}, {0x61, 0x10}, {0x62, 0x83}, {}, nil}).Draw(t, "answer")
			w.answer = func([]byte) ([]byte, error) {
				if response == nil {
					return nil, errors.New("lost")
				}
				return response, nil
			}
			before := w.seen
			_, err := guarded.Transmit(t.Context(), command)
			if forbidden := errors.Is(err, fail.APDUForbidden); forbidden == (w.seen > before) {
				t.Fatalf("%X: %v, reached the card %v", command, err, w.seen > before)
			}
		}
	})
}

// Every file id in every state: what passes is the list and nothing else.
func TestEverySelectOfAFile(t *testing.T) {
	for aid, files := range listed {
		w := &witness{t: t, answer: always(0x90, 0x00)}
		guarded := card.Guard(w)
		if _, err := guarded.Transmit(t.Context(), selectAID([]byte(aid))); err != nil {
			t.Fatal(err)
		}
		for id := range 0x10000 {
			_, err := guarded.Transmit(t.Context(), selectEF(uint16(id)))
			if want := slices.Contains(files, uint16(id)); want != (err == nil) {
				t.Fatalf("application %X file %04X: %v", aid, id, err)
			}
		}
	}
}

// The sentences of the list, one by one; want says whether the last command passes after the others.
func TestFirewallCases(t *testing.T) {
	verify := []byte{0x00, 0x20, 0x00, 0x80, 4, '1', '2', '3', '4'}
	query := []byte{0x00, 0x20, 0x00, 0x80}
	digestInfo := append([]byte{0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, make([]byte, 32)...)
	sign := append(append([]byte{0x80, 0x2A, 0x00, 0x80, 51}, digestInfo...), 0)
	sha1 := append(append([]byte{0x80, 0x2A, 0x00, 0x80, 35, 0x30, 0x21}, make([]byte, 33)...), 0)
	raw := append(append([]byte{0x80, 0x2A, 0x00, 0x80, 51}, make([]byte, 51)...), 0)
	read := []byte{0x00, 0xB0, 0x00, 0x00, 0x00}
	inJPKI, inCardInfo := selectAID(jpkiAID), selectAID(cardInfoAID)
	type steps [][]byte
	for name, tt := range map[string]struct {
		steps steps
		want  bool
	}{
		"the My Number":                         {steps{inCardInfo, selectEF(0x0001)}, false},
		"the signature certificate":             {steps{inJPKI, selectEF(0x0001)}, true},
		"the My Number after a JPKI session":    {steps{inJPKI, selectEF(0x0001), inCardInfo, selectEF(0x0001)}, false},
		"a read after the application changed":  {steps{inJPKI, selectEF(0x0001), inCardInfo, read}, false},
		"the resident registry":                 {steps{selectAID(registryAID)}, false},
		"the card face":                         {steps{selectAID(cardFaceAID)}, false},
		"the common application":                {steps{selectAID(commonAID)}, false},
		"an AID prefix":                         {steps{selectAID(cardInfoAID[:9])}, false},
		"an empty AID":                          {steps{selectAID(nil)}, false},
		"an AID with a byte behind":             {steps{selectAID(append(bytes.Clone(jpkiAID), 0))}, false},
		"SELECT with Le":                        {steps{append(bytes.Clone(inJPKI), 0)}, false},
		"SELECT that asks for a description":    {steps{append([]byte{0, 0xA4, 4, 0x00, 10}, jpkiAID...)}, false},
		"SELECT next occurrence":                {steps{append([]byte{0, 0xA4, 4, 0x0E, 10}, jpkiAID...)}, false},
		"SELECT MF":                             {steps{inJPKI, {0x00, 0xA4, 0x00, 0x00}}, false},
		"SELECT by path":                        {steps{inCardInfo, {0x00, 0xA4, 0x09, 0x0C, 2, 0, 2}}, false},
		"SELECT of two files at once":           {steps{inCardInfo, {0x00, 0xA4, 0x02, 0x0C, 4, 0, 2, 0, 1}}, false},
		"chained SELECT":                        {steps{append([]byte{0x10}, inJPKI[1:]...)}, false},
		"extended SELECT":                       {steps{append([]byte{0, 0xA4, 4, 0x0C, 0, 0, 10}, jpkiAID...)}, false},
		"secure messaging":                      {steps{append([]byte{0x0C}, inJPKI[1:]...)}, false},
		"another logical channel":               {steps{append([]byte{0x01}, inJPKI[1:]...)}, false},
		"a file before any application":         {steps{selectEF(0x000A)}, false},
		"read with a short file id":             {steps{inCardInfo, selectEF(0x0002), {0x00, 0xB0, 0x81, 0x00, 0x00}}, false},
		"read at the largest offset":            {steps{inJPKI, selectEF(0x000A), {0x00, 0xB0, 0x7F, 0xFF, 0x00}}, true},
		"read of a PIN file":                    {steps{inJPKI, selectEF(0x0018), read}, false},
		"read with an extended Le":              {steps{inJPKI, selectEF(0x000A), {0x00, 0xB0, 0, 0, 0, 0, 0}}, false},
		"READ BINARY with odd instruction code": {steps{inJPKI, selectEF(0x000A), {0x00, 0xB1, 0, 0, 0}}, false},
		"READ RECORD":                           {steps{inCardInfo, selectEF(0x0002), {0x00, 0xB2, 1, 0x0C, 0}}, false},
		"the head of the proof":                 {steps{inCardInfo, selectEF(0x0003), {0x00, 0xB0, 0, 0, 8}}, true},
		"the number's hash, its first byte":     {steps{inCardInfo, selectEF(0x0003), {0x00, 0xB0, 0, 0, 9}}, false},
		"the number's hash, its last byte":      {steps{inCardInfo, selectEF(0x0003), {0x00, 0xB0, 0, 39, 1}}, false},
		"the number's hash, with Le 00":         {steps{inCardInfo, selectEF(0x0003), read}, false},
		"the proof behind the number's hash":    {steps{inCardInfo, selectEF(0x0003), {0x00, 0xB0, 0, 40, 0}}, true},
		"the same bytes of a JPKI file":         {steps{inJPKI, selectEF(0x000A), read}, true},
		"VERIFY":                                {steps{inJPKI, selectEF(0x0018), verify}, true},
		"the counter":                           {steps{inCardInfo, selectEF(0x0011), query}, true},
		"the counter with Le":                   {steps{inJPKI, selectEF(0x0018), append(bytes.Clone(query), 0)}, false},
		"VERIFY of no file":                     {steps{inJPKI, verify}, false},
		"VERIFY on a certificate":               {steps{inJPKI, selectEF(0x000A), verify}, false},
		"VERIFY that names its file":            {steps{inJPKI, selectEF(0x0018), {0x00, 0x20, 0x00, 0x98, 4, 1, 2, 3, 4}}, false},
		"VERIFY of seventeen bytes":             {steps{inJPKI, selectEF(0x001B), append([]byte{0, 0x20, 0, 0x80, 17}, make([]byte, 17)...)}, false},
		"verification number A":                 {steps{inCardInfo, selectEF(0x0014)}, false},
		"change of a PIN":                       {steps{inJPKI, selectEF(0x0018), {0x00, 0x24, 0x01, 0x80, 4, 1, 2, 3, 4}}, false},
		"signature":                             {steps{inJPKI, selectEF(0x0017), sign}, true},
		"signature with a PIN file selected":    {steps{inJPKI, selectEF(0x0018), sign}, false},
		"signature of SHA-1":                    {steps{inJPKI, selectEF(0x0017), sha1}, false},
		"signature of raw bytes":                {steps{inJPKI, selectEF(0x0017), raw}, false},
		"signature that names its key":          {steps{inJPKI, selectEF(0x0017), append([]byte{0x80, 0x2A, 0, 0x97}, sign[4:]...)}, false},
		"signature hashed by the card":          {steps{inJPKI, selectEF(0x0017), append([]byte{0x80, 0x2A, 3, 0x80}, sign[4:]...)}, false},
		"internal authentication":               {steps{inCardInfo, selectEF(0x0007), append([]byte{0x80, 0x2A, 0, 0}, sign[4:]...)}, false},
		"GET RESPONSE":                          {steps{inJPKI, {0x00, 0xC0, 0x00, 0x00, 0x00}}, true},
		"GET DATA":                              {steps{inJPKI, {0x00, 0xCA, 0x00, 0x00, 0x00}}, false},
		"nothing":                               {steps{nil}, false},
		"three bytes":                           {steps{{0x00, 0xA4, 0x04}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &witness{t: t, answer: always(0x90, 0x00)}
			guarded := card.Guard(w)
			last := len(tt.steps) - 1
			for _, step := range tt.steps[:last] {
				if _, err := guarded.Transmit(t.Context(), step); err != nil {
					t.Fatalf("step %X: %v", step, err)
				}
			}
			_, err := guarded.Transmit(t.Context(), tt.steps[last])
			if passed := err == nil; passed != tt.want || (!passed && !errors.Is(err, fail.APDUForbidden)) {
				t.Errorf("passed %v (%v), want %v", passed, err, tt.want)
			}
		})
	}
}

// A SELECT that did not answer 9000 leaves nothing to work on, even what was selected before.
func TestARefusedSelectLeavesNothingSelected(t *testing.T) {
	for name, answer := range map[string]func([]byte) ([]byte, error){
		"refused": always(0x6A, 0x82), "a warning": always(0x62, 0x83), "more data": always(0x61, 0x10), "empty": always(),
		"lost": func([]byte) ([]byte, error) { return nil, errors.New("lost") },
	} {
		for _, again := range [][]byte{selectAID(jpkiAID), selectAID(cardInfoAID), selectEF(0x0018)} {
			w := &witness{t: t, answer: always(0x90, 0x00)}
			guarded := card.Guard(w)
			for _, step := range [][]byte{selectAID(jpkiAID), selectEF(0x000A)} {
				if _, err := guarded.Transmit(t.Context(), step); err != nil {
					t.Fatal(err)
				}
			}
			w.answer = answer
			_, _ = guarded.Transmit(t.Context(), again)
			w.answer = always(0x90, 0x00)
			if _, err := guarded.Transmit(t.Context(), []byte{0x00, 0xB0, 0, 0, 4}); !errors.Is(err, fail.APDUForbidden) {
				t.Errorf("%s after %X: a read passes: %v", name, again, err)
			}
		}
	}
}

// Everything this package does passes, and the virtual card's alarm stays silent.
func TestEveryCommandOfThePackagePasses(t *testing.T) {
	virtual := taro(t)
	w := &witness{t: t}
	inner := virtual.Connect()
	w.answer = func(c []byte) ([]byte, error) { return inner.Transmit(t.Context(), c) }
	if err := wholeLogin(t, w); err != nil {
		t.Fatal(err)
	}
	c := open(t, w)
	for _, p := range []card.PIN{card.AuthPIN, card.SignPassword, card.CardInfoPIN, card.NumberB} {
		if _, err := c.Tries(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	if err := c.Verify(t.Context(), card.SignPassword, []byte("ABC123")); err != nil {
		t.Error(err)
	}
	if _, err := c.SignCertificate(t.Context()); err != nil {
		t.Error(err)
	}
	if virtual.MyNumberTouched() {
		t.Error("the alarm went off")
	}
}

// The alarm of the virtual card is a second witness: it works, and never behind the firewall.
func TestTheAlarmStaysSilentBehindTheFirewall(t *testing.T) {
	virtual := taro(t)
	bare := virtual.Connect()
	for _, c := range [][]byte{selectAID(cardInfoAID), selectEF(0x0001)} {
		if _, err := bare.Transmit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if !virtual.MyNumberTouched() {
		t.Fatal("the alarm does not work")
	}
	silent := taro(t)
	rapid.Check(t, func(t *rapid.T) {
		guarded := card.Guard(silent.Connect())
		for _, c := range rapid.SliceOfN(commands(), 1, 60).Draw(t, "commands") {
			_, _ = guarded.Transmit(t.Context(), c)
		}
		if silent.MyNumberTouched() {
			t.Fatal("the alarm went off")
		}
	})
}

func TestGuardingTwiceIsGuardingOnce(t *testing.T) {
	g := card.Guard(&witness{t: t})
	if card.Guard(g) != g {
		t.Error("a second firewall would start with nothing selected")
	}
}

// Whoever passes a bare transport to Open still has the firewall: Open is the only way to a Card.
func TestOpenAppliesTheFirewall(t *testing.T) {
	transport := &tap{Transport: taro(t).Connect()}
	transport.instead = func(c []byte) ([]byte, error, bool) {
		if isRead(c) && c[4] == 8 { // the head of the proof: ask for the number's hash by a wrong-Le answer
			return []byte{0x6C, 0xFF}, nil, true
		}
		return nil, nil, false
	}
	c := open(t, transport)
	if err := c.Verify(t.Context(), card.CardInfoPIN, []byte("1234")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadCardInfo(t.Context()); !errors.Is(err, fail.APDUForbidden) {
		t.Errorf("a card talked its reader into a forbidden read: %v", err)
	}
}
