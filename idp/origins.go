package idp

import (
	"context"
	"sync"
	"time"

	"tegata/idp/clients"
	"tegata/storage"
)

// Origins are asked for by scripts alone, so the whole list is read at once: again for an origin that is not on it, but no
// more often than every second, and for every other after half a minute.
const (
	originsFresh = clientLife
	originsLife  = 30 * time.Second
)

type originCache struct {
	store storage.Store
	now   func() time.Time
	mu    sync.Mutex
	known map[string]bool
	read  time.Time
}

// BrowserOrigin says whether origin is one of an enabled client that lives in browsers. Without the database nobody is.
func (p *Provider) BrowserOrigin(ctx context.Context, origin string) bool {
	return p.origins.has(ctx, origin)
}

func (o *originCache) has(ctx context.Context, origin string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	age := o.now().Sub(o.read)
	if o.known == nil || age < 0 || age >= originsLife || age >= originsFresh && !o.known[origin] {
		o.load(ctx)
	}
	return o.known[origin]
}

// load reads the list; on an error the former one is gone, and the next caller tries again.
func (o *originCache) load(ctx context.Context) {
	o.known = nil
	all, err := o.store.Clients(ctx)
	if err != nil {
		return
	}
	o.known, o.read = map[string]bool{}, o.now()
	for _, c := range all {
		if c.Disabled || c.Registration.Pending {
			continue
		}
		for _, origin := range clients.Origins(c) {
			o.known[origin] = true
		}
	}
}
