package revocation

import (
	"bytes"
	"cmp"
	"math/big"
	"slices"
)

// maxSerial is the longest serial number, in bytes (RFC 5280 4.1.2.2).
const maxSerial = 20

// serials is a set of serial numbers, made for a million of them: the usual ones take eight bytes each, sorted.
type serials struct {
	short []uint64
	long  [][maxSerial]byte // above 64 bits
}

// add takes the content of a DER INTEGER that is positive. The set answers questions after settle.
func (s *serials) add(integer []byte) {
	integer = bytes.TrimLeft(integer, "\x00")
	if len(integer) <= 8 {
		var n uint64
		for _, b := range integer {
			n = n<<8 | uint64(b)
		}
		s.short = append(s.short, n)
		return
	}
	var n [maxSerial]byte
	copy(n[maxSerial-len(integer):], integer)
	s.long = append(s.long, n)
}

func (s *serials) settle() {
	slices.Sort(s.short)
	slices.SortFunc(s.long, func(a, b [maxSerial]byte) int { return bytes.Compare(a[:], b[:]) })
}

// has asks for a positive number of at most 20 bytes; any other is in no set.
func (s *serials) has(serial *big.Int) bool {
	switch {
	case serial.Sign() <= 0 || serial.BitLen() > 8*maxSerial:
		return false
	case serial.IsUint64():
		_, found := slices.BinarySearchFunc(s.short, serial.Uint64(), cmp.Compare[uint64])
		return found
	}
	var n [maxSerial]byte
	serial.FillBytes(n[:])
	_, found := slices.BinarySearchFunc(s.long, n, func(a, b [maxSerial]byte) int { return bytes.Compare(a[:], b[:]) })
	return found
}
