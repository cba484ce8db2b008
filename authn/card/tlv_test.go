package card

import (
	"bytes"
	"testing"
)

func TestReadLength(t *testing.T) {
	for _, tt := range []struct {
		name          string
		data          []byte
		length, width int
		ok            bool
	}{
		{"short", []byte{0x7F}, 0x7F, 1, true},
		{"zero", []byte{0x00}, 0, 1, true},
		{"81", []byte{0x81, 0x80}, 0x80, 2, true},
		{"82", []byte{0x82, 0x06, 0x2B}, 0x62B, 3, true},
		{"indefinite", []byte{0x80, 0, 0, 0}, 0, 0, false},
		{"83", []byte{0x83, 0, 0, 1}, 0, 0, false},
		{"FF", []byte{0xFF, 0xFF, 0xFF}, 0, 0, false},
		{"81 cut off", []byte{0x81}, 0, 0, false},
		{"82 cut off", []byte{0x82, 0x06}, 0, 0, false},
		{"nothing", nil, 0, 0, false},
	} {
		length, width, err := readLength(tt.data)
		if length != tt.length || width != tt.width || (err == nil) != tt.ok {
			t.Errorf("%s: %d %d %v", tt.name, length, width, err)
		}
	}
}

func FuzzReadTLV(f *testing.F) {
	f.Add([]byte{0xFF, 0x20, 0x03, 0x90, 0x01, 0x00})
	f.Add([]byte{0x30, 0x82, 0x00, 0x01, 0xAA, 0xBB})
	f.Add([]byte{0xDF})
	f.Fuzz(func(t *testing.T, data []byte) {
		o, rest, err := readTLV(data)
		if err != nil {
			return
		}
		if !bytes.Equal(append(bytes.Clone(o.whole), rest...), data) {
			t.Error("object and rest are not the data")
		}
		if !bytes.HasSuffix(o.whole, o.value) || len(o.whole) < len(o.value)+2 {
			t.Error("the value is not the end of the object")
		}
	})
}

func FuzzObjectSize(f *testing.F) {
	f.Add([]byte{0x30, 0x82, 0x06, 0x2B})
	f.Add([]byte{0x30, 0x80, 0x00, 0x00})
	f.Add([]byte{0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, head []byte) {
		size, err := objectSize(head, []byte{tagSequence})
		if err == nil && (size < 2 || size > 4+0xFFFF || head[0] != 0x30) {
			t.Errorf("size %d of %X", size, head)
		}
	})
}

func TestMembersAreEachThereOnceAndAlone(t *testing.T) {
	one, two := []byte{0x90, 1, 0xAA}, []byte{0x91, 1, 0xBB}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tt := range []struct {
		name  string
		value []byte
		ok    bool
	}{
		{"in order", join(one, two), true},
		{"in another order", join(two, one), true},
		{"one missing", one, false},
		{"one doubled", join(one, two, one), false},
		{"one unknown", join(one, two, []byte{0x92, 0}), false},
		{"one unknown in another's place", join(one, []byte{0x92, 0}), false},
		{"a byte behind", join(one, two, []byte{0x90}), false},
		{"nothing", nil, false},
	} {
		got, err := members(tt.value, 0x90, 0x91)
		if (err == nil) != tt.ok || (tt.ok && (got[0x90].value[0] != 0xAA || got[0x91].value[0] != 0xBB)) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
