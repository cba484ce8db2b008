package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// clock is the whole sandbox's time. With a start it stands there until the sandbox is ready, then runs at the usual
// speed: the last second of a day must not be over before somebody could use it.
type clock struct {
	start time.Time // zero: this machine's time
	began atomic.Pointer[time.Time]
}

func clockFrom(start string) (*clock, error) {
	if start == "" {
		return &clock{}, nil
	}
	from, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return nil, fmt.Errorf("--now: %q is not an RFC 3339 time such as 2026-04-15T00:00:00+09:00", start)
	}
	return &clock{start: from}, nil
}

func (c *clock) now() time.Time {
	if c.start.IsZero() {
		return time.Now()
	}
	if began := c.began.Load(); began != nil {
		return c.start.Add(time.Since(*began))
	}
	return c.start
}

func (c *clock) run() {
	now := time.Now()
	c.began.Store(&now)
}
