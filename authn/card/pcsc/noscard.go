//go:build !cgo && !windows

package pcsc

import "tegata/authn/fail"

func init() { controlCode = func(function uint16) uint32 { return uint32(function) } }

// machine refuses: PC/SC is reached through a C library here.
var machine system = notBuilt{}

type notBuilt struct{}

func (notBuilt) establish() (session, error) { return nil, fail.PCSCUnavailable.Because(ErrNotBuilt) }
