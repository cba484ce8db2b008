package jpki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// attribute is one otherName of the arc; n is its last number.
type attribute struct {
	n    int
	text string
}

func tlv(class, tag int, compound bool, parts ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: compound, Bytes: bytes.Join(parts, nil)}))
}

func utf8String(s string) []byte {
	return tlv(asn1.ClassUniversal, asn1.TagUTF8String, false, []byte(s))
}
func inner(v []byte) []byte { return tlv(asn1.ClassContextSpecific, 0, true, v) }

func oidOf(n int) []byte {
	return must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5, n}))
}

func otherName(parts ...[]byte) []byte { return tlv(asn1.ClassContextSpecific, 0, true, parts...) }
func names(parts ...[]byte) []byte     { return tlv(asn1.ClassUniversal, asn1.TagSequence, true, parts...) }
func (a attribute) encode() []byte     { return otherName(oidOf(a.n), inner(utf8String(a.text))) }
func hexOf(b []byte) string            { return hex.EncodeToString(b) }

func san(attributes ...attribute) []byte {
	var parts [][]byte
	for _, a := range attributes {
		parts = append(parts, a.encode())
	}
	return names(parts...)
}

func withSAN(value []byte) *x509.Certificate {
	return &x509.Certificate{Extensions: []pkix.Extension{{Id: subjectAltName, Value: value}}}
}

func TestReadAttributesReadsTheTestCardsOrder(t *testing.T) {
	k := theKit()
	template := k.template(Signature)
	template.ExtraExtensions = []pkix.Extension{{Id: subjectAltName, Value: san(
		attribute{1, "\u30c6\u30b9\u30c8\u3000\u592a\u90ce"}, attribute{4, "319800217"}, attribute{3, "1"},
		attribute{5, "\u6771\u4eac\u90fd\u30c6\u30b9\u30c8\u533a\uff11\uff0d\uff12\uff0d\uff13"}, attribute{2, "000001"}, attribute{6, strings.Repeat("0", 12)},
	)}}
	got, err := ReadAttributes(k.sign2.issue(template))
	want := Attributes{
		Name: "\u30c6\u30b9\u30c8\u3000\u592a\u90ce", NameSubstitution: "000001", Sex: "1", Birth: "319800217",
		Address: "\u6771\u4eac\u90fd\u30c6\u30b9\u30c8\u533a\uff11\uff0d\uff12\uff0d\uff13", AddressSubstitution: strings.Repeat("0", 12),
	}
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestReadAttributesKeepsToTheProfile(t *testing.T) {
	name := attribute{1, "A B"}
	printable := tlv(asn1.ClassUniversal, asn1.TagPrintableString, false, []byte("A B"))
	huge := []byte{6, 12, 0x2A, 0x83, 0x08, 0x8F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}
	for _, tc := range []struct {
		name string
		san  []byte
		want Attributes
		err  error
	}{
		{"an attribute alone", san(name), Attributes{Name: "A B"}, nil},
		{"an empty attribute", san(attribute{1, ""}), Attributes{}, nil},
		{"an empty list", names(), Attributes{}, nil},
		{"unknown numbers of the arc are ignored", san(attribute{7, "KANA"}, name, attribute{0, "?"}), Attributes{Name: "A B"}, nil},
		{"unknown object identifiers with huge numbers are ignored", names(otherName(huge, inner(printable)), name.encode()), Attributes{Name: "A B"}, nil},
		{"unknown object identifiers may carry anything", names(otherName(must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 3})), inner([]byte{5, 0})), name.encode()), Attributes{Name: "A B"}, nil},
		{"other kinds of names are ignored", names(tlv(asn1.ClassContextSpecific, 1, false, []byte("a@example.jp")), name.encode()), Attributes{Name: "A B"}, nil},

		{"an attribute given twice", san(name, name), Attributes{}, Refusal{RepeatedAttribute}},
		{"an attribute given twice, first empty", san(attribute{4, ""}, attribute{4, "319800217"}), Attributes{}, Refusal{RepeatedAttribute}},
		{"a PrintableString", names(otherName(oidOf(1), inner(printable))), Attributes{}, Refusal{MalformedAttributes}},
		{"a constructed UTF8String", names(otherName(oidOf(1), inner(tlv(0, asn1.TagUTF8String, true, utf8String("A"))))), Attributes{}, Refusal{MalformedAttributes}},
		{"bytes that are not UTF-8", names(otherName(oidOf(1), inner(utf8String("\xff")))), Attributes{}, Refusal{MalformedAttributes}},
		{"a value without its explicit tag", names(otherName(oidOf(1), utf8String("A"))), Attributes{}, Refusal{MalformedAttributes}},
		{"a value under tag 1", names(otherName(oidOf(1), tlv(asn1.ClassContextSpecific, 1, true, utf8String("A")))), Attributes{}, Refusal{MalformedAttributes}},
		{"two values", names(otherName(oidOf(1), inner(append(utf8String("A"), utf8String("B")...)))), Attributes{}, Refusal{MalformedAttributes}},
		{"something after the value", names(otherName(oidOf(1), inner(utf8String("A")), []byte{5, 0})), Attributes{}, Refusal{MalformedAttributes}},
		{"no value", names(otherName(oidOf(1))), Attributes{}, Refusal{MalformedAttributes}},
		{"no object identifier", names(otherName(inner(utf8String("A")))), Attributes{}, Refusal{MalformedAttributes}},
		{"an object identifier with a padded number", names(otherName([]byte{6, 3, 0x2A, 0x80, 0x01}, inner(utf8String("A")))), Attributes{}, Refusal{MalformedAttributes}},
		{"a primitive otherName", names(tlv(asn1.ClassContextSpecific, 0, false, oidOf(1), inner(utf8String("A")))), Attributes{}, Refusal{MalformedAttributes}},
		{"a name of another class", names(name.encode(), []byte{5, 0}), Attributes{}, Refusal{MalformedAttributes}},
		{"a length in its long form", names([]byte{0xA0, 0x81, 0x02, 5, 0}), Attributes{}, Refusal{MalformedAttributes}},
		{"an indefinite length", []byte{0x30, 0x80, 0, 0}, Attributes{}, Refusal{MalformedAttributes}},
		{"a set in place of the sequence", tlv(0, asn1.TagSet, true, name.encode()), Attributes{}, Refusal{MalformedAttributes}},
		{"something after the list", append(san(name), 0), Attributes{}, Refusal{MalformedAttributes}},
		{"a list cut short", san(name)[:9], Attributes{}, Refusal{MalformedAttributes}},
		{"nothing", nil, Attributes{}, Refusal{MalformedAttributes}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadAttributes(withSAN(tc.san))
			if err != tc.err || got != tc.want {
				t.Fatalf("got %+v, %v; want %+v, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestAnAuthenticationCertificateHasNoAttributes(t *testing.T) {
	k := theKit()
	_, err := ReadAttributes(k.auth2.issue(k.template(Authentication)))
	wantRefusal(t, err, MissingAttributes)
	_, err = ReadAttributes(nil)
	wantRefusal(t, err, NoCertificate)
}

// Position means nothing: whatever the order and whatever lies between, each attribute is found under
// its own number, and none twice.
func TestAttributesAreFoundInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfNDistinct(rapid.IntRange(1, 9), 0, 9, rapid.ID).Draw(t, "numbers")
		var list []attribute
		want := [7]string{}
		for _, n := range numbers {
			a := attribute{n, rapid.String().Filter(utf8.ValidString).Draw(t, fmt.Sprint("text ", n))}
			list = append(list, a)
			if n <= 6 {
				want[n] = a.text
			}
		}
		got, err := ReadAttributes(withSAN(san(list...)))
		fields := [7]string{"", got.Name, got.NameSubstitution, got.Sex, got.Birth, got.Address, got.AddressSubstitution}
		if err != nil || fields != want {
			t.Fatalf("got %q, %v; want %q", fields, err, want)
		}
		known := slices.DeleteFunc(slices.Clone(list), func(a attribute) bool { return a.n > 6 })
		if len(known) == 0 {
			return
		}
		again := rapid.SampledFrom(known).Draw(t, "again")
		if _, err := ReadAttributes(withSAN(san(append(list, again)...))); err != (Refusal{RepeatedAttribute}) {
			t.Fatalf("a repeated attribute gives %v", err)
		}
	})
}

// Strict means canonical: what is read and written again by the profile's encoder gives the same attributes.
func FuzzReadAttributes(f *testing.F) {
	f.Add(san(attribute{1, "\u30c6\u30b9\u30c8\u3000\u592a\u90ce"}, attribute{4, "319800217"}, attribute{3, "1"}, attribute{5, "\u6771\u4eac\u90fd"}, attribute{2, "000000"}, attribute{6, "000"}))
	f.Add(san(attribute{9, "x"}, attribute{1, ""}))
	f.Add(names(tlv(asn1.ClassContextSpecific, 4, true, caName("x"))))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		got, err := ReadAttributes(withSAN(der))
		if err != nil {
			if _, ok := err.(Refusal); !ok || got != (Attributes{}) {
				t.Fatalf("a refusal with something in it: %v", err)
			}
			return
		}
		fields := []string{got.Name, got.NameSubstitution, got.Sex, got.Birth, got.Address, got.AddressSubstitution}
		if !utf8.ValidString(strings.Join(fields, "")) {
			t.Fatal("not UTF-8")
		}
		var list []attribute
		for i, text := range fields {
			list = append(list, attribute{i + 1, text})
		}
		if again, err := ReadAttributes(withSAN(san(list...))); err != nil || again != got {
			t.Fatalf("read again as %+v, %v", again, err)
		}
	})
}
