package latest_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/claims"
	"tegata/idp/latest"
)

var noon = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

func key(t interface{ Fatal(...any) }) latest.Key {
	k, err := latest.KeyFrom(bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func person(t interface{ Fatal(...any) }, name, address, sex, birth string) claims.Person {
	zeros := func(s string) string { return strings.Repeat("0", len([]rune(s))) }
	p, err := claims.FromCertificate(claims.CertificateFields{
		Name: name, NameSubstitution: zeros(name), Sex: sex, Birth: birth, Address: address, AddressSubstitution: zeros(address)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// aboutPeople are the items of which changes can be told.
var aboutPeople = slices.DeleteFunc(claims.Catalogue(), claims.Item.Predicate)

func TestOnlyWhatChangedIsTold(t *testing.T) {
	texts := rapid.SampledFrom([]string{"A", "B", "C"})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(when string) (string, string, string, string) {
			return texts.Draw(t, when+" name"), texts.Draw(t, when+" address"), rapid.SampledFrom([]string{"1", "2"}).Draw(t, when+" sex"),
				rapid.SampledFrom([]string{"319900401", "319900402"}).Draw(t, when+" birth")
		}
		items := rapid.SliceOfDistinct(rapid.SampledFrom(aboutPeople), func(i claims.Item) claims.Item { return i }).Draw(t, "items")
		n1, a1, s1, b1 := draw("before")
		n2, a2, s2, b2 := draw("after")
		k := key(t)
		before := k.Compare("id", nil, person(t, n1, a1, s1, b1), items, noon)
		again := k.Compare("id", before.Known, person(t, n1, a1, s1, b1), items, noon.Add(time.Hour))
		if len(again.Items) > 0 || string(again.Claims) != "{}" {
			t.Fatalf("nothing changed, and %v are told", again.Items)
		}
		after := k.Compare("id", before.Known, person(t, n2, a2, s2, b2), items, noon)
		moved := map[claims.Fact]bool{claims.FactName: n1 != n2, claims.FactAddress: a1 != a2, claims.FactGender: s1 != s2, claims.FactBirth: b1 != b2}
		for _, i := range after.Items {
			if !slices.Contains(items, i) || !moved[i.Needs()] {
				t.Fatalf("%s is told", i)
			}
		}
		for _, i := range []claims.Item{claims.ItemName, claims.ItemAddress, claims.ItemGender, claims.ItemBirthdate} {
			if slices.Contains(items, i) && moved[i.Needs()] && !slices.Contains(after.Items, i) {
				t.Fatalf("%s is not told", i)
			}
		}
	})
}

func TestMarksSayNothing(t *testing.T) {
	k, p := key(t), person(t, "手形　試", "東京都千代田区", "2", "319900401")
	one, err1 := k.Compare("one", nil, p, aboutPeople, noon).Known.Encode()
	two, err2 := k.Compare("two", nil, p, aboutPeople, noon).Known.Encode()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("the same person shows in two consents")
	}
	for _, value := range []string{"手形", "千代田", "1990", "female"} {
		if bytes.Contains(one, []byte(value)) {
			t.Errorf("the marks have %q", value)
		}
	}
	known, err := latest.DecodeKnown(one)
	if err != nil || len(k.Compare("one", known, p, aboutPeople, noon).Items) != 0 {
		t.Error("the marks do not come back", err)
	}
}

// What the register does not give now is no change, and its next value is compared with the last one.
func TestAnItemThatIsMissingStays(t *testing.T) {
	k := key(t)
	with := k.Compare("id", nil, person(t, "A", "B", "1", "319900401"), aboutPeople, noon)
	without := k.Compare("id", with.Known, person(t, "A", "B", "9", "319900401"), aboutPeople, noon)
	if len(without.Items) != 0 {
		t.Errorf("%v are told", without.Items)
	}
	if back := k.Compare("id", without.Known, person(t, "A", "B", "2", "319900401"), aboutPeople, noon); !slices.Equal(back.Items, []claims.Item{claims.ItemGender}) {
		t.Errorf("%v are told", back.Items)
	}
}

func TestForeignMarksAreRefused(t *testing.T) {
	for _, text := range []string{"null", "[]", "{", `{"name":1}`} {
		if _, err := latest.DecodeKnown([]byte(text)); !errors.Is(err, latest.ErrKnown) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if k, err := latest.DecodeKnown(nil); err != nil || len(k) != 0 {
		t.Error(k, err)
	}
}
