package prompt

import (
	"unsafe"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// lengths of what a person may type, in characters of the card; card.md 1.2 and 1.3.
var lengths = map[card.PIN][2]int{card.AuthPIN: {4, 4}, card.CardInfoPIN: {4, 4}, card.NumberB: {14, 14}, card.SignPassword: {6, 16}}

// normalise makes the bytes that the card expects, or says fail.PINFormat: a 4-digit PIN where the password is asked
// for, and the other way round, must not cost a try. It leaves typed to its caller to wipe.
func normalise(p card.PIN, typed []byte) ([]byte, error) {
	limits, known := lengths[p]
	if !known || len(typed) == 0 {
		return nil, fail.PINFormat
	}
	entry := view(typed)
	if p == card.SignPassword {
		return card.NormalizePassword(entry)
	}
	secret, err := card.NormalizeDigits(entry)
	if err == nil && (len(secret) < limits[0] || len(secret) > limits[1] || p == card.NumberB && !card.PlausibleNumberB(secret)) {
		clear(secret)
		return nil, fail.PINFormat
	}
	return secret, err
}

// view is typed as a string and not a copy of it: a string of its own could never be wiped.
func view(typed []byte) string { return unsafe.String(&typed[0], len(typed)) }
