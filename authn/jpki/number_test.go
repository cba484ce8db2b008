package jpki

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"
)

func someNumber() Number {
	leaf := &x509.Certificate{SerialNumber: big.NewInt(0x5a21c0f3), NotAfter: time.Date(2030, 2, 17, 14, 59, 59, 0, time.UTC)}
	return NumberOf(leaf, &x509.Certificate{Raw: []byte("anchor")})
}

func TestANumberComesBackAsItWas(t *testing.T) {
	n := someNumber()
	got, err := ParseNumber(n.Encode())
	if err != nil || got.Issuer != n.Issuer || got.Serial.Cmp(n.Serial) != 0 || !got.NotAfter.Equal(n.NotAfter) {
		t.Fatalf("%v", err)
	}
	key := bytes.Repeat([]byte("k"), 32)
	if !bytes.Equal(n.Index(key, Authentication), Index(key, Authentication, &x509.Certificate{SerialNumber: n.Serial})) {
		t.Error("its index is not the certificate's")
	}
}

func TestANumberIsFoundAmongAnchors(t *testing.T) {
	n, anchor := someNumber(), &x509.Certificate{Raw: []byte("anchor")}
	a := Anchors{Auth: []*x509.Certificate{{Raw: []byte("other")}, anchor}}
	if n.Issuer != sha256.Sum256(anchor.Raw) || a.Issued(n, Authentication) != anchor || a.Issued(n, Signature) != nil || (Anchors{}).Issued(n, Authentication) != nil {
		t.Error("another anchor")
	}
}

func TestANumberPrintsAsAWord(t *testing.T) {
	n := someNumber()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "number", n)
	for _, text := range []string{fmt.Sprint(n), fmt.Sprintf("%v %+v %#v %s", n, n, n, n), fmt.Errorf("x: %v", n).Error(), log.String()} {
		if strings.Contains(text, n.Serial.String()) || strings.Contains(text, "5a21") || strings.Contains(text, "2030") {
			t.Error(text)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	f.Add(someNumber().Encode())
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		n, err := ParseNumber(encoded)
		if err != nil {
			if !errors.Is(err, ErrNumber) {
				t.Fatal(err)
			}
			return
		}
		if again, err := ParseNumber(n.Encode()); err != nil || again.Serial.Cmp(n.Serial) != 0 || again.Issuer != n.Issuer {
			t.Fatal("it does not come back")
		}
	})
}
