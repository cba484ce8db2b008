package provider

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"tegata/storage"
)

// methodPrefix begins the names of the settings that switch a login method off.
const methodPrefix = "method/"

// MethodSetting is the name of the setting that switches a login method off; its value is Disabled.
func MethodSetting(method string) string { return methodPrefix + method }

// Disabled is the value of a setting that switches something off.
const Disabled = "disabled"

// vouched is for how long one look at the settings vouches for what was read before: it outlasts the pause to the next look.
const vouched = time.Second

// switches are the operator's emergency switches as this replica last read them, with the mark of the client records. When
// the database cannot be read the last view stays: without the database there is no login either.
type switches struct {
	store interface {
		Settings(ctx context.Context) ([]storage.Setting, error)
	}
	now  func() time.Time
	view atomic.Pointer[view]
}

// view is one look at the settings.
type view struct {
	off     map[string]bool // login methods
	clients string          // storage.ClientsMark
	since   time.Time       // no client record has changed after this
	at      time.Time       // when the look began
}

// load looks at the settings. It is called by one goroutine at a time.
func (s *switches) load(ctx context.Context) error {
	next := view{off: map[string]bool{}, at: s.now()}
	settings, err := s.store.Settings(ctx)
	if err != nil {
		return err
	}
	for _, set := range settings {
		method, ok := strings.CutPrefix(set.Name, methodPrefix)
		switch {
		case set.Name == storage.ClientsMark:
			next.clients = set.Value
		case ok && set.Value == Disabled:
			next.off[method] = true
		}
	}
	next.since = s.now() // a record that was read while we looked may be older than what we saw
	if old := s.view.Load(); old != nil && old.clients == next.clients {
		next.since = old.since
	}
	s.view.Store(&next)
	return nil
}

// disabled says whether a login method is switched off.
func (s *switches) disabled(method string) bool { return s.view.Load().off[method] }

// unchanged says that no client record has changed since a time, if the last look was just now.
func (s *switches) unchanged(since time.Time) bool {
	v := s.view.Load()
	age := s.now().Sub(v.at)
	return since.After(v.since) && age >= 0 && age < vouched
}
