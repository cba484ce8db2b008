package statement

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn/fail"
)

func TestThePayloadHasOneForm(t *testing.T) {
	l := example()
	l.Client, l.Attributes = "a<b>&c", CertificateRef([]byte("abc"))
	want := `{"v":1,"iss":"https://id.example","login":"login-1","ticket":"` + Hash([]byte("ticket")) + `","client":"a<b>&c",` +
		`"flow":"reader","operations":["authenticate"],"nonce":"` + Hash([]byte("n")) + `","agent_nonce":"` + Hash([]byte("a")) +
		`","agent_key":"` + Hash([]byte("k")) + `","attributes":{"source":"signature_certificate","hash":"` + Hash([]byte("abc")) +
		`"},"iat":1782874800,"exp":1782874920}`
	if got := string(l.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	a := Attributes{V: 1, Issuer: "i", Login: "l", LoginStatement: "h", Declaration: ShareAttributes, Nonce: "n", IssuedAt: 1, Expires: 2}
	want = `{"v":1,"iss":"i","login":"l","login_statement":"h","declaration":"share_attributes.1","nonce":"n","iat":1,"exp":2}`
	if got := string(a.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// records is what the provider knows before the statement arrives.
func records() Login {
	l := example()
	l.V, l.AgentNonce, l.IssuedAt, l.Expires = 0, "", 0, 0
	return l
}

func TestExpectComparesEveryMember(t *testing.T) {
	shift := func(d time.Duration) int64 { return now.Add(d).Unix() }
	tests := []struct {
		name string
		said func(*Login)
		want error
	}{
		{"the very statement is accepted", func(*Login) {}, nil},
		{"an agent's clock 60 s behind is accepted", func(l *Login) { l.IssuedAt, l.Expires = shift(-60*time.Second), shift(60*time.Second) }, nil},
		{"an agent's clock 60 s ahead is accepted", func(l *Login) { l.IssuedAt, l.Expires = shift(60*time.Second), shift(180*time.Second) }, nil},
		{"61 s behind", func(l *Login) { l.IssuedAt = shift(-61 * time.Second); l.Expires = shift(10 * time.Second) }, fail.StatementMismatch},
		{"61 s ahead", func(l *Login) { l.IssuedAt = shift(61 * time.Second); l.Expires = shift(100 * time.Second) }, fail.StatementMismatch},
		{"a life of 121 s", func(l *Login) { l.Expires = l.IssuedAt + 121 }, fail.StatementMismatch},
		{"expired now", func(l *Login) { l.IssuedAt, l.Expires = shift(-30*time.Second), shift(0) }, fail.StatementMismatch},
		{"expires before it is issued", func(l *Login) { l.IssuedAt, l.Expires = shift(30*time.Second), shift(20*time.Second) }, fail.StatementMismatch},
		{"expires at the end of time", func(l *Login) { l.Expires = 1<<63 - 1 }, fail.StatementMismatch},
		{"issued at the beginning of time", func(l *Login) { l.IssuedAt = -1 << 63 }, fail.StatementMismatch},
		{"another version", func(l *Login) { l.V = 2 }, fail.StatementMismatch},
		{"another issuer", func(l *Login) { l.Issuer = "https://evil.example" }, fail.StatementMismatch},
		{"another login", func(l *Login) { l.Login = "login-2" }, fail.StatementMismatch},
		{"another ticket", func(l *Login) { l.TicketHash = Hash([]byte("other")) }, fail.StatementMismatch},
		{"another client", func(l *Login) { l.Client = "bank" }, fail.StatementMismatch},
		{"another flow", func(l *Login) { l.Flow = "qr" }, fail.StatementMismatch},
		{"more operations", func(l *Login) { l.Operations = []string{Authenticate, ReadAttributes} }, fail.StatementMismatch},
		{"no operations", func(l *Login) { l.Operations = nil }, fail.StatementMismatch},
		{"another nonce", func(l *Login) { l.Nonce = Hash([]byte("m")) }, fail.StatementMismatch},
		{"another agent key", func(l *Login) { l.AgentKey = Hash([]byte("j")) }, fail.StatementMismatch},
		{"an agent nonce of 128 bit", func(l *Login) { l.AgentNonce = "AAECAwQFBgcICQoLDA0ODw" }, fail.StatementMismatch},
		{"an agent nonce that is not base64url", func(l *Login) { l.AgentNonce = l.AgentNonce[:42] + "+" }, fail.StatementMismatch},
		{"attributes nobody asked for", func(l *Login) { l.Attributes = CertificateRef([]byte("abc")) }, fail.StatementMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			said := example()
			tt.said(&said)
			got, err := Expect(Opened{Payload: said.Bytes()}, records(), now)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Expect: %v, want %v", err, tt.want)
			}
			if tt.want == nil && !reflect.DeepEqual(got, said) {
				t.Errorf("Expect returned %+v", got)
			}
		})
	}
}

func TestExpectBindsTheEvidence(t *testing.T) {
	said := example()
	said.Operations = []string{Authenticate, ReadAttributes}
	said.Attributes = CertificateRef([]byte("certificate"))
	tests := []struct {
		name       string
		operations []string
		evidence   *AttributesRef
		want       error
	}{
		{"the evidence that was signed for", said.Operations, CertificateRef([]byte("certificate")), nil},
		{"another person's certificate", said.Operations, CertificateRef([]byte("other")), fail.StatementMismatch},
		{"the same hash as another source", said.Operations, &AttributesRef{Source: CardInfo, Hash: said.Attributes.Hash}, fail.StatementMismatch},
		{"no evidence", said.Operations, nil, fail.StatementMismatch},
		{"evidence for a login that asked for none", []string{Authenticate}, said.Attributes, fail.StatementMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := records()
			want.Operations, want.Attributes = tt.operations, tt.evidence
			if _, err := Expect(Opened{Payload: said.Bytes()}, want, now); !errors.Is(err, tt.want) {
				t.Errorf("Expect: %v, want %v", err, tt.want)
			}
		})
	}
	bare := example()
	bare.Operations = said.Operations
	want := records()
	want.Operations = said.Operations
	if _, err := Expect(Opened{Payload: bare.Bytes()}, want, now); !errors.Is(err, fail.StatementMismatch) {
		t.Errorf("attributes were asked for and none are accepted: %v", err)
	}
}

func TestExpectAcceptsOneSpelling(t *testing.T) {
	good := string(example().Bytes())
	tests := map[string]string{
		"a space":              good[:1] + " " + good[1:],
		"a line end":           good + "\n",
		"a member twice":       good[:len(good)-1] + `,"iss":"https://id.example"}`,
		"an unknown member":    good[:len(good)-1] + `,"admin":true}`,
		"a name in capitals":   `{"V":1` + good[len(`{"v":1`):],
		"an escaped character": `{"v":1,"iss":"https:\/\/id.example"` + good[len(`{"v":1,"iss":"https://id.example"`):],
		"a fraction":           `{"v":1.0` + good[len(`{"v":1`):],
		"a null attributes":    good[:len(good)-1] + `,"attributes":null}`,
		"nothing":              "",
		"an array":             "[]",
		"null":                 "null",
		"two objects":          good + good,
	}
	for name, payload := range tests {
		if _, err := Expect(Opened{Payload: []byte(payload)}, records(), now); !errors.Is(err, fail.StatementMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpectAttributesComparesEveryMember(t *testing.T) {
	login := Opened{Compact: "a.b.c"}
	want := Attributes{Issuer: "i", Login: "l", LoginStatement: login.Hash(), Declaration: ShareAttributes, Nonce: "n"}
	good := want
	good.V, good.IssuedAt, good.Expires = Version, now.Unix(), now.Unix()+120
	if got, err := ExpectAttributes(Opened{Payload: good.Bytes()}, want, now); err != nil || got != good {
		t.Fatalf("ExpectAttributes = %+v, %v", got, err)
	}
	for name, change := range map[string]func(*Attributes){
		"version":         func(a *Attributes) { a.V = 0 },
		"issuer":          func(a *Attributes) { a.Issuer = "j" },
		"login":           func(a *Attributes) { a.Login = "m" },
		"login statement": func(a *Attributes) { a.LoginStatement = Hash([]byte("other")) },
		"sentence":        func(a *Attributes) { a.Declaration = "sell_house.1" },
		"nonce":           func(a *Attributes) { a.Nonce = "o" },
		"old":             func(a *Attributes) { a.IssuedAt -= 61 },
		"long-lived":      func(a *Attributes) { a.Expires++ },
	} {
		bad := good
		change(&bad)
		if _, err := ExpectAttributes(Opened{Payload: bad.Bytes()}, want, now); !errors.Is(err, fail.StatementMismatch) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if _, err := ExpectAttributes(Opened{Payload: []byte("[]")}, want, now); !errors.Is(err, fail.StatementMismatch) {
		t.Errorf("an array: %v", err)
	}
}

func TestExpectAcceptsExactlyWhatItReturns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{0,20}`)
		want := records()
		want.Issuer, want.Client = text.Draw(t, "iss"), text.Draw(t, "client")
		said := want
		said.V, said.AgentNonce = Version, Hash([]byte(text.Draw(t, "nonce")))
		said.IssuedAt = now.Unix() + rapid.Int64Range(-60, 60).Draw(t, "skew")
		said.Expires = said.IssuedAt + rapid.Int64Range(61, 120).Draw(t, "life")
		got, err := Expect(Opened{Payload: said.Bytes()}, want, now)
		if err != nil || string(got.Bytes()) != string(said.Bytes()) {
			t.Fatalf("Expect = %+v, %v", got, err)
		}
		at := rapid.IntRange(0, len(said.Bytes())-1).Draw(t, "at")
		bad := said.Bytes()
		bad[at] ^= byte(rapid.IntRange(1, 127).Draw(t, "bits"))
		if got, err := Expect(Opened{Payload: bad}, want, now); err == nil && string(got.Bytes()) != string(bad) {
			t.Fatalf("accepted %s, returned %s", bad, got.Bytes())
		}
	})
}
