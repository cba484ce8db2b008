package provider

import (
	"context"
	"strings"
	"sync/atomic"

	"tegata/storage"
)

// methodPrefix begins the names of the settings that switch a login method off.
const methodPrefix = "method/"

// MethodSetting is the name of the setting that switches a login method off; its value is Disabled.
func MethodSetting(method string) string { return methodPrefix + method }

// Disabled is the value of a setting that switches something off.
const Disabled = "disabled"

// switches are the operator's emergency switches as this replica last read them. When the database cannot be read the
// last view stays: without the database there is no login either.
type switches struct {
	store interface {
		Settings(ctx context.Context) ([]storage.Setting, error)
	}
	off atomic.Pointer[map[string]bool]
}

func (s *switches) load(ctx context.Context) error {
	settings, err := s.store.Settings(ctx)
	if err != nil {
		return err
	}
	off := map[string]bool{}
	for _, set := range settings {
		if method, ok := strings.CutPrefix(set.Name, methodPrefix); ok && set.Value == Disabled {
			off[method] = true
		}
	}
	s.off.Store(&off)
	return nil
}

// disabled says whether a login method is switched off.
func (s *switches) disabled(method string) bool { return (*s.off.Load())[method] }
