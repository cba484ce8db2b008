package rp

import (
	"sync"
	"time"
)

// shelf remembers things under unguessable keys for a limited time, in memory.
// A shop with several servers puts the same operations on its shared session store.
type shelf[T any] struct {
	now   func() time.Time
	life  time.Duration
	mu    sync.Mutex
	items map[string]item[T]
}

type item[T any] struct {
	value   T
	expires time.Time
}

func newShelf[T any](now func() time.Time, life time.Duration) *shelf[T] {
	return &shelf[T]{now: now, life: life, items: map[string]item[T]{}}
}

// put stores v and, while it is there, throws out what has expired: abandoned logins must not pile up.
func (s *shelf[T]) put(key string, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, v)
}

func (s *shelf[T]) keep(key string, v T) {
	now := s.now()
	for k, it := range s.items {
		if !now.Before(it.expires) {
			delete(s.items, k)
		}
	}
	s.items[key] = item[T]{value: v, expires: now.Add(s.life)}
}

// add is put for a key that is not there; false when it is.
func (s *shelf[T]) add(key string, v T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.live(key); there {
		return false
	}
	s.keep(key, v)
	return true
}

// remove throws out what matches, and returns its keys.
func (s *shelf[T]) remove(match func(T) bool) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, it := range s.items {
		if match(it.value) {
			keys = append(keys, k)
			delete(s.items, k)
		}
	}
	return keys
}

// get finds what is stored under key and not yet expired.
func (s *shelf[T]) get(key string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live(key)
}

// take is get and remove in one step: of two racing callers only one gets the value.
func (s *shelf[T]) take(key string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer delete(s.items, key)
	return s.live(key)
}

func (s *shelf[T]) live(key string) (T, bool) {
	it, ok := s.items[key]
	if !ok || !s.now().Before(it.expires) {
		var none T
		return none, false
	}
	return it.value, true
}
