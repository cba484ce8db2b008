package idp

import (
	"context"
	"sync"
	"time"

	"tegata/storage"
)

// clientLife bounds how long a replica may believe a client record that nobody vouches for: a disabled client is out within it.
const clientLife = time.Second

type cachedClient struct {
	client storage.Client
	read   time.Time
}

// clientCache saves the read of the same client at every step of a login.
type clientCache struct {
	store     storage.Store
	now       func() time.Time
	unchanged func(since time.Time) bool // nil: nobody knows
	mu        sync.Mutex
	entries   map[string]cachedClient
}

// get gives a client's record, one second old at most.
func (c *clientCache) get(ctx context.Context, id string) (storage.Client, error) {
	now := c.now()
	c.mu.Lock()
	e, ok := c.entries[id]
	c.mu.Unlock()
	if ok && c.current(e, now) {
		return e.client, nil
	}
	client, err := c.store.Client(ctx, id)
	if err != nil {
		return storage.Client{}, err
	}
	c.mu.Lock()
	c.entries[id] = cachedClient{client, now} // bounded by the number of registered clients
	c.mu.Unlock()
	return client, nil
}

func (c *clientCache) current(e cachedClient, now time.Time) bool {
	age := now.Sub(e.read)
	return age >= 0 && (age < clientLife || c.unchanged != nil && c.unchanged(e.read))
}

// freshFor bounds how old a copy of a login may be to be shown on a page.
const freshFor = time.Second

// maxLogins bounds the memory of loginCache; past it the cache starts again from nothing, which costs reads only.
const maxLogins = 10000

type cachedLogin struct {
	login storage.Login
	link  *storage.Link
	read  time.Time
	moved chan struct{} // closed when a newer version is put
}

// loginCache keeps this replica's last copy of each live login. A copy is a guess, never the truth: every write names
// the version it was decided on, and the store refuses it when another replica was faster.
type loginCache struct {
	now     func() time.Time
	mu      sync.Mutex
	entries map[string]cachedLogin
	swept   time.Time
}

// sweepLogins is how often what is over is forgotten: a login that nobody finished holds a person's data.
const sweepLogins = time.Minute

func (c *loginCache) get(id string) (cachedLogin, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[id]
	return e, ok
}

// fresh returns a copy that is young enough to show.
func (c *loginCache) fresh(id string) (cachedLogin, bool) {
	e, ok := c.get(id)
	age := c.now().Sub(e.read)
	return e, ok && age >= 0 && age < freshFor
}

func (c *loginCache) put(l storage.Login, link *storage.Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); len(c.entries) >= maxLogins || now.Sub(c.swept) >= sweepLogins {
		c.swept = now
		c.sweep()
	}
	old, had := c.entries[l.ID] // after the sweep, which may have closed this very entry
	if had && old.login.Version > l.Version {
		return
	}
	moved := make(chan struct{})
	if had {
		if old.login.Version == l.Version {
			moved = old.moved
		} else {
			close(old.moved)
		}
		if link == nil && old.login.AccountID == l.AccountID { // a renewed card changes the account
			link = old.link
		}
	}
	c.entries[l.ID] = cachedLogin{login: l, link: link, read: c.now(), moved: moved}
}

func (c *loginCache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[id]; ok {
		close(e.moved)
		delete(c.entries, id)
	}
}

// sweep forgets what is over; c.mu is held.
func (c *loginCache) sweep() {
	now := c.now()
	for id, e := range c.entries {
		if now.After(e.login.ExpiresAt) {
			close(e.moved)
			delete(c.entries, id)
		}
	}
	if len(c.entries) >= maxLogins {
		for id, e := range c.entries {
			close(e.moved)
			delete(c.entries, id)
		}
	}
}

// wait blocks until the login moved past version, the time is over or ctx ends.
func (c *loginCache) wait(ctx context.Context, id string, version int64, atMost time.Duration) {
	e, ok := c.get(id)
	if ok && e.login.Version != version {
		return
	}
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-e.moved: // nil when unknown: then only the timer and ctx count
	case <-t.C:
	case <-ctx.Done():
	}
}
