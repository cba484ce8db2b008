package idp

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tegata/storage"
)

func newCache() (*loginCache, *time.Time) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	return &loginCache{now: func() time.Time { return now }, entries: map[string]cachedLogin{}}, &now
}

func TestASweepMeetsTheLoginThatIsPut(t *testing.T) {
	c, now := newCache()
	l := storage.Login{ID: "a", Version: 1, ExpiresAt: now.Add(time.Minute)}
	c.put(l, nil)
	*now = now.Add(2 * sweepLogins)
	c.put(l, nil) // the same version again
	l.Version = 2
	*now = now.Add(2 * sweepLogins)
	c.put(l, nil) // a newer one
	c.drop("a")
	if _, ok := c.get("a"); ok {
		t.Error("still there")
	}
}

func TestWhatIsOverIsForgotten(t *testing.T) {
	c, now := newCache()
	c.put(storage.Login{ID: "old", Version: 1, ExpiresAt: now.Add(time.Second)}, nil)
	*now = now.Add(sweepLogins)
	c.put(storage.Login{ID: "new", Version: 1, ExpiresAt: now.Add(time.Hour)}, nil)
	if _, ok := c.get("old"); ok {
		t.Error("a login that is over is kept, with what it holds about a person")
	}
	for i := range maxLogins + 1 {
		c.put(storage.Login{ID: fmt.Sprint(i), Version: 1, ExpiresAt: now.Add(time.Hour)}, nil)
	}
	if len(c.entries) > maxLogins {
		t.Errorf("%d logins are kept", len(c.entries))
	}
}

func TestAnOlderCopyNeverReplacesANewerOne(t *testing.T) {
	c, now := newCache()
	link := &storage.Link{Subject: "s"}
	c.put(storage.Login{ID: "a", Version: 3, ExpiresAt: now.Add(time.Hour)}, link)
	c.put(storage.Login{ID: "a", Version: 2, ExpiresAt: now.Add(time.Hour)}, nil)
	c.put(storage.Login{ID: "a", Version: 4, ExpiresAt: now.Add(time.Hour)}, nil)
	e, _ := c.get("a")
	if e.login.Version != 4 || e.link != link {
		t.Errorf("version %d, link %v", e.login.Version, e.link)
	}
	if _, ok := c.fresh("a"); !ok {
		t.Error("not fresh")
	}
	*now = now.Add(freshFor)
	if _, ok := c.fresh("a"); ok {
		t.Error("fresh for ever")
	}
	*now = now.Add(-2 * freshFor)
	if _, ok := c.fresh("a"); ok {
		t.Error("fresh although its time has not come: the clock was set back")
	}
}

func TestAWatcherHearsOfAMove(t *testing.T) {
	c, now := newCache()
	c.put(storage.Login{ID: "a", Version: 1, ExpiresAt: now.Add(time.Hour)}, nil)
	heard := make(chan struct{})
	go func() {
		c.wait(context.Background(), "a", 1, time.Hour)
		close(heard)
	}()
	c.put(storage.Login{ID: "a", Version: 2, ExpiresAt: now.Add(time.Hour)}, nil)
	<-heard
	c.wait(context.Background(), "a", 1, time.Hour) // it has moved already
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.wait(ctx, "a", 2, time.Hour)
	c.wait(ctx, "unknown", 0, time.Hour)
}
