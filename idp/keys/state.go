package keys

import (
	"time"

	"tegata/storage"
)

// State is where a key is in its life.
type State string

const (
	Next    State = "next"    // published, signs later
	Active  State = "active"  // signs
	Retired State = "retired" // signs no more; what it signed still verifies
)

// State says where a key is by the store's clock.
func (r *Ring) State(k storage.SigningKey) State { return stateOf(k, r.now()) }

func stateOf(k storage.SigningKey, now time.Time) State {
	switch {
	case k.ActivateAt.After(now):
		return Next
	case k.RetireAt.IsZero() || k.RetireAt.After(now):
		return Active
	}
	return Retired
}
