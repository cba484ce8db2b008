package provider

import (
	"context"
	"sync"

	"tegata/storage"
)

// maxUnwritten bounds the incidents that wait for the database. Beyond it the log, which has them all, is the record.
const maxUnwritten = 1000

// audit writes incidents in batches, so that a refusal costs no statement and no time.
type audit struct {
	store interface {
		AddIncidents(ctx context.Context, incidents []storage.Incident) error
	}
	mu        sync.Mutex
	unwritten []storage.Incident
	dropped   int
}

func (a *audit) note(in storage.Incident) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.unwritten) >= maxUnwritten {
		a.dropped++
		return
	}
	a.unwritten = append(a.unwritten, in)
}

// flush writes what waits and returns how many found no room since the last time.
func (a *audit) flush(ctx context.Context) (dropped int, err error) {
	a.mu.Lock()
	batch := a.unwritten
	dropped = a.dropped
	a.unwritten, a.dropped = nil, 0
	a.mu.Unlock()
	if err := a.store.AddIncidents(ctx, batch); err != nil {
		for _, in := range batch {
			a.note(in)
		}
		return dropped, err
	}
	return dropped, nil
}
