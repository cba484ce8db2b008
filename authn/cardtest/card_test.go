package cardtest_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var (
	authCert = append([]byte{0x30, 0x82, 0x02, 0x00}, bytes.Repeat([]byte{0xA1}, 512)...)
	signCert = append([]byte{0x30, 0x82, 0x02, 0x10}, bytes.Repeat([]byte{0xA2}, 528)...)
)

func issue(t testing.TB, json string, change func(*cardtest.Material)) *cardtest.Card {
	t.Helper()
	p, err := cardtest.ParsePersona("someone", []byte(json))
	if err != nil {
		t.Fatal(err)
	}
	m := cardtest.Material{AuthKey: testKey(), AuthCert: authCert, SignKey: testKey(), SignCert: signCert, CardInfoKey: testKey(), CardInfoCVC: []byte{0x7F, 0x21, 0x00}}
	if change != nil {
		change(&m)
	}
	return cardtest.New(p, m)
}

const plain = `{"birthdate": "1990-04-01"}`

// send transmits spaced hex and returns the answer as hex, status word last.
func send(t testing.TB, to card.Transport, command string) string {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	response, err := to.Transmit(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToUpper(hex.EncodeToString(response))
}

const (
	jpki     = "00A4040C0A D392F000 2601 0000 0001"
	cardInfo = "00A4040C0A D3921000 3100 0101 0408"
	registry = "00A4040C0A D3921000 3100 0101 0401"
	cardFace = "00A4040C0A D3921000 3100 0101 0402"

	pin1234  = "00200080 04 31323334"
	pin9999  = "00200080 04 39393939"
	password = "00200080 06 414243 313233"
)

// Each line is one session: commands, then the last answer (behind "~" stands the end of a long one).
func TestStatusWords(t *testing.T) {
	hash := strings.Repeat("00", 32)
	sign := "802A0080 33 3031300D 0609 608648 0165030402 01 0500 0420 " + hash + " 00"
	for name, tt := range map[string]struct {
		commands []string
		want     string
	}{
		"an unknown application":                       {[]string{"00A4040C 07 A0000001 510000"}, "6A82"},
		"an unknown application, with FCI and Le":      {[]string{"00A40400 07 A0000001 510000 00"}, "6A82"},
		"SELECT without a name":                        {[]string{"00A4040000"}, "6A82"},
		"SELECT with a wrong Lc":                       {[]string{"00A4040C 09 A00000"}, "6700"},
		"GET DATA":                                     {[]string{"00CA006E 00"}, "6D00"},
		"another class":                                {[]string{"A0A40000 02 3F00"}, "6E00"},
		"an extended command":                          {[]string{"00A4040C 00000A D392F000 2601 0000 0001"}, "6700"},
		"three bytes":                                  {[]string{"00A404"}, "6700"},
		"a file before any application":                {[]string{"00A4020C020018"}, "6A82"},
		"SELECT MF after reset":                        {[]string{"00A40000"}, "6A86"},
		"SELECT MF in an application":                  {[]string{jpki, "00A40000"}, "9000"},
		"SELECT 3F00":                                  {[]string{jpki, "00A40000 02 3F00"}, "6A82"},
		"SELECT by path":                               {[]string{jpki, "00A4090C 02 0018"}, "6A86"},
		"a file id of one byte":                        {[]string{jpki, "00A4020C 01 18"}, "6700"},
		"a missing file":                               {[]string{jpki, "00A4020C020099"}, "6A82"},
		"a missing file leaves the old one current":    {[]string{jpki, "00A4020C020008", "00A4020C020099", "00B0000003"}, "8F8F009000"},
		"read with no file":                            {[]string{jpki, "00B0000000"}, "6986"},
		"read of a PIN":                                {[]string{jpki, "00A4020C020018", "00B0000000"}, "6981"},
		"read without Le":                              {[]string{jpki, "00A4020C020008", "00B00000"}, "6700"},
		"read past the end":                            {[]string{jpki, "00A4020C020008", "00B0000300"}, "6B00"},
		"read over the end":                            {[]string{jpki, "00A4020C020008", "00B0000100"}, "8F006282"},
		"read by short file id":                        {[]string{jpki, "00B0880002"}, "8F8F9000"},
		"the label":                                    {[]string{jpki, "00A4020C020006", "00B000000F"}, hex.EncodeToString([]byte("JPKIAPICCTOKEN2")) + "9000"},
		"the token information has 160 bytes":          {[]string{jpki, "00A4020C020006", "00B0009F00"}, "206282"},
		"the head of the authentication certificate":   {[]string{jpki, "00A4020C02000A", "00B0000004"}, "30820200" + "9000"},
		"filler behind it":                             {[]string{jpki, "00A4020C02000A", "00B0020404"}, "FFFFFFFF9000"},
		"the signature certificate needs its password": {[]string{jpki, "00A4020C020001", "00B0000004"}, "6982"},
		"the signature certificate after its password": {[]string{jpki, "00A4020C02001B", password, "00A4020C020001", "00B0000004"}, "30820210" + "9000"},
		"the auth PIN does not open it":                {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020001", "00B0000004"}, "6982"},
		"the auth counter":                             {[]string{jpki, "00A4020C020018", "00200080"}, "63C3"},
		"the auth counter as T=0 readers ask":          {[]string{jpki, "00A4020C020018", "0020008000"}, "63C3"},
		"the password counter":                         {[]string{jpki, "00A4020C02001B", "00200080"}, "63C5"},
		"the card-info counter":                        {[]string{cardInfo, "00A4020C020011", "00200080"}, "63C3"},
		"the number B counter":                         {[]string{cardInfo, "00A4020C020015", "00200080"}, "63CA"},
		"the counter of a reference blocked as issued": {[]string{cardInfo, "00A4020C020012", "00200080"}, "63C0"},
		"VERIFY of it":                                 {[]string{cardInfo, "00A4020C020012", pin1234}, "6984"},
		"VERIFY with no file":                          {[]string{jpki, pin1234}, "6986"},
		"VERIFY on a certificate":                      {[]string{jpki, "00A4020C02000A", pin1234}, "6981"},
		"VERIFY that names the PIN":                    {[]string{jpki, "00200098 04 31323334"}, "9000"},
		"VERIFY that names nothing":                    {[]string{jpki, "0020009F 04 31323334"}, "6A88"},
		"VERIFY with another P1":                       {[]string{jpki, "00A4020C020018", "00200180 04 31323334"}, "6A86"},
		"VERIFY without the current-file bit":          {[]string{jpki, "00A4020C020018", "00200000 04 31323334"}, "6A88"},
		"VERIFY of seventeen bytes":                    {[]string{jpki, "00A4020C020018", "00200080 11 " + strings.Repeat("31", 17)}, "6700"},
		"sign without PIN":                             {[]string{jpki, "00A4020C020017", sign}, "6982"},
		"sign with no file":                            {[]string{jpki, sign}, "6986"},
		"sign with the PIN file selected":              {[]string{jpki, "00A4020C020018", pin1234, sign}, "6981"},
		"sign hashed by the card":                      {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020017", "802A0380" + sign[8:]}, "6A86"},
		"sign nothing":                                 {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020017", "802A0080"}, "6700"},
		"sign 246 bytes":                               {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020017", "802A0080 F6" + strings.Repeat("00", 246) + "00"}, "6A80"},
		"the other PIN's key":                          {[]string{jpki, "00A4020C020018", pin1234, "00A4020C02001A", sign}, "6982"},
		"another application drops the PIN":            {[]string{jpki, "00A4020C020018", pin1234, cardInfo, jpki, "00A4020C020017", sign}, "6982"},
		"the same application keeps it":                {[]string{jpki, "00A4020C020018", pin1234, jpki, "00A4020C020017", sign}, "~9000"},
		"a wrong entry drops it":                       {[]string{jpki, "00A4020C020018", pin1234, pin9999, "00A4020C020017", sign}, "6982"},
		"a signature has 256 bytes at once":            {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020017", sign}, "~9000"},
		"without Le it waits":                          {[]string{jpki, "00A4020C020018", pin1234, "00A4020C020017", sign[:len(sign)-3]}, "6100"},
		"GET RESPONSE with nothing waiting":            {[]string{jpki, "00C0000000"}, "6985"},
		"a chained VERIFY":                             {[]string{jpki, "00A4020C020018", "10200080 02 3132", "00200080 02 3334"}, "9000"},
		"a chain broken by another command":            {[]string{jpki, "00A4020C020018", "10200080 02 3132", "00A4020C020017"}, "6883"},
		"the attributes need a PIN":                    {[]string{cardInfo, "00A4020C020002", "00B0000004"}, "6982"},
		"the attributes after it":                      {[]string{cardInfo, "00A4020C020011", pin1234, "00A4020C020002", "00B0000002"}, "FF209000"},
		"the key certificate is free":                  {[]string{cardInfo, "00A4020C020004", "00B0000003"}, "7F21009000"},
		"verification number A does not exist here":    {[]string{cardInfo, "00A4020C020014"}, "6A82"},
	} {
		t.Run(name, func(t *testing.T) {
			reader := issue(t, plain, nil).Connect()
			var got string
			for _, c := range tt.commands {
				got = send(t, reader, c)
			}
			if end, cut := strings.CutPrefix(tt.want, "~"); (cut && (!strings.HasSuffix(got, end) || len(got) != 2*258)) || (!cut && !strings.EqualFold(got, tt.want)) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCounterMatrix(t *testing.T) {
	numberB := cardtest.Persona{Birthdate: "1990-04-01"}.NumberB()
	for _, tt := range []struct {
		pin        card.PIN
		app, file  string
		right, bad string
		most       int
	}{
		{card.AuthPIN, jpki, "0018", "1234", "0000", 3},
		{card.SignPassword, jpki, "001B", "ABC123", "ABC124", 5},
		{card.CardInfoPIN, cardInfo, "0011", "1234", "12345", 3},
		{card.NumberB, cardInfo, "0015", numberB, "1", 10},
	} {
		t.Run(fmt.Sprint(tt.pin), func(t *testing.T) {
			virtual := issue(t, plain, nil)
			verify := func(secret string) string {
				reader := virtual.Connect() // the counter outlives sessions
				send(t, reader, tt.app)
				send(t, reader, "00A4020C02"+tt.file)
				return send(t, reader, fmt.Sprintf("00200080%02X%X", len(secret), secret))
			}
			for left := tt.most - 1; left >= 1; left-- {
				if sw := verify(tt.bad); sw != fmt.Sprintf("63C%X", left) || virtual.Tries(tt.pin) != left {
					t.Fatalf("%s with %d left, want %d", sw, virtual.Tries(tt.pin), left)
				}
			}
			if sw := verify(tt.right); sw != "9000" || virtual.Tries(tt.pin) != tt.most {
				t.Fatalf("right entry: %s, %d tries", sw, virtual.Tries(tt.pin))
			}
			for range tt.most - 1 {
				verify(tt.bad)
			}
			for _, step := range []struct{ secret, want string }{{tt.bad, "63C0"}, {tt.bad, "6984"}, {tt.right, "6984"}} {
				if sw := verify(step.secret); sw != step.want || virtual.Tries(tt.pin) != 0 {
					t.Errorf("got %s, want %s", sw, step.want)
				}
			}
			for _, other := range []card.PIN{card.AuthPIN, card.SignPassword, card.CardInfoPIN, card.NumberB} {
				if other != tt.pin && virtual.Tries(other) == 0 {
					t.Errorf("PIN %v is locked too", other)
				}
			}
		})
	}
}

func TestPersonasBringTheirCounters(t *testing.T) {
	virtual := issue(t, `{"birthdate": "1990-04-01", "pin_tries": 0, "password_tries": 2}`, nil)
	if virtual.Tries(card.AuthPIN) != 0 || virtual.Tries(card.SignPassword) != 2 || virtual.Tries(card.PIN(99)) != 0 {
		t.Errorf("%d and %d tries", virtual.Tries(card.AuthPIN), virtual.Tries(card.SignPassword))
	}
	reader := virtual.Connect()
	send(t, reader, jpki)
	send(t, reader, "00A4020C020018")
	if sw := send(t, reader, pin1234); sw != "6984" {
		t.Errorf("got %s", sw)
	}
}

func TestSignaturesBothWaysAndChained(t *testing.T) {
	digest := sha256.Sum256([]byte("x"))
	input := append([]byte{0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, digest[:]...)
	for name, commands := range map[string][]string{
		"at once":          {fmt.Sprintf("802A0080%02X%X00", len(input), input)},
		"naming the key":   {fmt.Sprintf("802A0097%02X%X00", len(input), input)},
		"by GET RESPONSE":  {fmt.Sprintf("802A0080%02X%X", len(input), input), "00C0000000"},
		"in two parts":     {fmt.Sprintf("902A0080%02X%X", 20, input[:20]), fmt.Sprintf("802A0080%02X%X00", len(input)-20, input[20:])},
		"in odd responses": {fmt.Sprintf("802A0080%02X%X", len(input), input), "00C00000C8", "00C0000038"},
	} {
		t.Run(name, func(t *testing.T) {
			reader := issue(t, plain, nil).Connect()
			for _, c := range []string{jpki, "00A4020C020018", pin1234, "00A4020C020017"} {
				send(t, reader, c)
			}
			var signature []byte
			for _, c := range commands {
				raw, err := hex.DecodeString(send(t, reader, c))
				if err != nil {
					t.Fatal(err)
				}
				signature = append(signature, raw[:len(raw)-2]...)
			}
			if err := rsa.VerifyPKCS1v15(&testKey().PublicKey, crypto.SHA256, digest[:], signature); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheAlarm(t *testing.T) {
	for name, tt := range map[string]struct {
		commands []string
		want     bool
	}{
		"a whole harmless session":    {[]string{jpki, "00A4020C020001", "00B0000000", cardInfo, "00A4020C020002", "00A4020C020011"}, false},
		"the My Number file":          {[]string{cardInfo, "00A4020C020001"}, true},
		"the file by its short id":    {[]string{cardInfo, "00B0810000"}, true},
		"the resident registry":       {[]string{registry}, true},
		"the card face":               {[]string{cardFace}, true},
		"a prefix of the application": {[]string{"00A4040C 09 D3921000 3100 0101 04"}, true},
	} {
		virtual := issue(t, plain, nil)
		reader := virtual.Connect()
		for _, c := range tt.commands {
			if sw := send(t, reader, c); tt.want && c != "00B0810000" && sw != "9000" {
				t.Errorf("%s: %s", name, sw)
			}
		}
		if virtual.MyNumberTouched() != tt.want {
			t.Errorf("%s: alarm %v", name, virtual.MyNumberTouched())
		}
	}
}

func TestTheMyNumberFileHoldsFillerOnly(t *testing.T) {
	reader := issue(t, plain, nil).Connect()
	for _, c := range []string{cardInfo, "00A4020C020011", pin1234, "00A4020C020001"} {
		send(t, reader, c)
	}
	if got := send(t, reader, "00B0000000"); got != strings.Repeat("FF", 17)+"6282" {
		t.Errorf("got %s", got)
	}
}

func TestACardWithoutSignatureCertificate(t *testing.T) {
	reader := issue(t, plain, func(m *cardtest.Material) { m.SignCert, m.SignKey = nil, nil }).Connect()
	for _, step := range []struct{ command, want string }{
		{jpki, "9000"}, {"00A4020C020008", "9000"}, {"00B0000003", "008F009000"}, {"00A4020C02001A", "6A82"},
		{"00A4020C02001B", "9000"}, {"00200080", "63C5"}, // other programs look for both PINs
		{password, "9000"}, {"00A4020C020001", "9000"}, {"00B0000004", "00000000" + "9000"},
	} {
		if got := send(t, reader, step.command); got != step.want {
			t.Errorf("%s: got %s, want %s", step.command, got, step.want)
		}
	}
}

func TestCloseResetsAndEnds(t *testing.T) {
	virtual := issue(t, plain, nil)
	reader := virtual.Connect()
	send(t, reader, jpki)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Transmit(t.Context(), []byte{0, 0x20, 0, 0x80}); !errors.Is(err, fail.CardRemoved) {
		t.Errorf("got %v", err)
	}
	if sw := send(t, virtual.Connect(), "00A4020C020018"); sw != "6A82" {
		t.Errorf("a new connection finds %s", sw)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := virtual.Connect().Transmit(ctx, []byte{0, 0xA4, 0, 0}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentConnectionsShareOnlyTheCounters(t *testing.T) {
	virtual := issue(t, `{"birthdate": "1990-04-01", "password_tries": 5}`, nil)
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			reader := virtual.Connect()
			send(t, reader, jpki)
			send(t, reader, "00A4020C02001B")
			send(t, reader, "00200080 06 414141 414141")
			_, _ = virtual.Tries(card.SignPassword), virtual.MyNumberTouched()
			if err := reader.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if left := virtual.Tries(card.SignPassword); left != 0 {
		t.Errorf("%d tries left after five wrong entries", left)
	}
}

// FuzzTransmit: whatever bytes arrive, the card answers with a status word and gives no signature without a PIN.
func FuzzTransmit(f *testing.F) {
	f.Add([]byte{0x00, 0xB0, 0x81, 0x00, 0x00}, []byte{0x10, 0x20, 0x00, 0x80, 0x01, 0x31})
	f.Add([]byte{0x80, 0x2A, 0x00, 0x97, 0x01, 0x31, 0x00}, []byte{0x00, 0xC0, 0x00, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		reader := issue(t, plain, nil).Connect()
		send(t, reader, jpki)
		for _, c := range [][]byte{first, second} {
			response, err := reader.Transmit(t.Context(), c)
			if err != nil || len(response) < 2 || len(response) == 258 && c[1] == 0x2A {
				t.Errorf("%X: %X, %v", c, response, err)
			}
		}
	})
}
