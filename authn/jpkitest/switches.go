package jpkitest

import (
	"errors"
	"slices"

	"tegata/authn/cardtest"
)

// Refused settings of Switch and Misbehave.
var (
	ErrPersonaName = errors.New("a persona's name is one segment of a URL, up to 100 bytes")
	ErrStatus      = errors.New("status must be good, revoked or suspended")
	ErrFault       = errors.New("fault must be none, offline, late, stale, unknown, wrong_key, no_nonce, skew or delay")
)

// Switch makes both certificates of a persona's card good, revoked or suspended from the next OCSP
// answer on, whatever her file says, and until the authority is restarted. The card need not be issued yet.
func (a *Authority) Switch(persona string, status cardtest.Status) error {
	switch {
	case !isName(persona):
		return ErrPersonaName
	case !slices.Contains([]cardtest.Status{cardtest.Good, cardtest.Revoked, cardtest.Suspended}, status):
		return ErrStatus
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.switched[persona] = status
	return nil
}

// Misbehave gives the OCSP responder a fault, from the next answer on; FaultNone mends it.
func (a *Authority) Misbehave(fault Fault) error {
	if !slices.Contains(faults, fault) {
		return ErrFault
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = fault
	return nil
}

// Fault tells how the responder misbehaves at present.
func (a *Authority) Fault() Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fault
}
