package limit

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func table() (*Table, *clock) {
	c := &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	return New(c.now), c
}

func TestTenAttemptsInTenMinutes(t *testing.T) {
	tab, c := table()
	rate := Rate{10, 10 * time.Minute}
	for i := range 10 {
		if _, ok := tab.Take(rate, "login", "192.0.2.1"); !ok {
			t.Fatalf("attempt %d is refused", i+1)
		}
	}
	wait, ok := tab.Take(rate, "login", "192.0.2.1")
	if ok || wait < 59*time.Second || wait > time.Minute+time.Second {
		t.Fatalf("the eleventh: %v, wait %v", ok, wait)
	}
	for kind, source := range map[string]string{"login": "192.0.2.2", "page": "192.0.2.1"} {
		if _, ok := tab.Take(rate, kind, source); !ok {
			t.Errorf("%s of %s pays for another", kind, source)
		}
	}
	c.t = c.t.Add(wait)
	if _, ok := tab.Take(rate, "login", "192.0.2.1"); !ok {
		t.Error("after the wait that was told it is refused again")
	}
	if _, ok := tab.Take(rate, "login", "192.0.2.1"); ok {
		t.Error("two for one wait")
	}
	tab.Return(rate, "login", "192.0.2.1")
	if _, ok := tab.Take(rate, "login", "192.0.2.1"); !ok {
		t.Error("what was given back is not there")
	}
	c.t = c.t.Add(10 * time.Minute)
	for range 20 {
		tab.Return(rate, "login", "192.0.2.1") // gives no credit beyond a full rate
	}
	for i := range 11 {
		if _, ok := tab.Take(rate, "login", "192.0.2.1"); ok != (i < 10) {
			t.Errorf("ten minutes later, attempt %d: %v", i+1, ok)
		}
	}
}

func TestNoRateAndNoTableAllowEverything(t *testing.T) {
	tab, _ := table()
	for range 1000 {
		if _, ok := tab.Take(Rate{}, "x", "y"); !ok {
			t.Fatal("refused without a rate")
		}
		if _, ok := (*Table)(nil).Take(Rate{1, time.Hour}, "x", "y"); !ok {
			t.Fatal("refused without a table")
		}
	}
	tab.Return(Rate{}, "x", "y")
	(*Table)(nil).Return(Rate{1, time.Hour}, "x", "y")
}

func TestReplicasShareARate(t *testing.T) {
	for _, tc := range []struct{ attempts, replicas, each int }{{10, 0, 10}, {10, 1, 10}, {10, 2, 5}, {10, 3, 4}, {1, 5, 1}} {
		if got := (Rate{tc.attempts, time.Minute}).Of(tc.replicas); got != (Rate{tc.each, time.Minute}) {
			t.Errorf("%d among %d: %v", tc.attempts, tc.replicas, got)
		}
	}
}

// In any stretch of time a key has no more than one full rate and what flows back meanwhile.
func TestNoScheduleBeatsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab, c := table()
		rate := Rate{rapid.IntRange(1, 50).Draw(t, "attempts"), time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second}
		var taken []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "tries") {
			c.t = c.t.Add(time.Duration(rapid.Int64Range(0, int64(rate.Per)/10).Draw(t, "pause")))
			wait, ok := tab.Take(rate, "k", "s")
			if ok {
				taken = append(taken, c.t)
			} else if wait <= 0 || wait > rate.Per+time.Millisecond {
				t.Fatalf("wait %v", wait)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				most := float64(rate.Attempts) + taken[j].Sub(taken[i]).Seconds()/rate.Per.Seconds()*float64(rate.Attempts)*1.02 + 1e-3 // the rate is kept in whole ticks
				if float64(j-i+1) > most {
					t.Fatalf("%d attempts in %v at %v", j-i+1, taken[j].Sub(taken[i]), rate)
				}
			}
		}
	})
}

func TestAMillionKeysFitInTenMebibytes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	tab, _ := table()
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 10<<20+4096 {
		t.Errorf("the table takes %d bytes", grown)
	}
	const keys = 1_000_000
	rate := Rate{1, time.Hour}
	for i := range keys {
		tab.Take(rate, "login", fmt.Sprint(i))
	}
	forgotten := 0
	for i := range keys {
		if slot := tab.find(tab.ticks(), "login", fmt.Sprint(i)); *slot&dueMask == 0 {
			forgotten++
			*slot = 0
		}
	}
	t.Logf("%d of a million keys were forgotten before their time", forgotten)
	if forgotten > keys/100 {
		t.Errorf("%d of a million keys were forgotten before their time", forgotten)
	}
	runtime.ReadMemStats(&before)
	for range 1000 {
		tab.Take(rate, "login", "192.0.2.1")
	}
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > before.HeapAlloc+1<<20 {
		t.Error("counting allocates")
	}
}

func TestRacingAttemptsHaveNoMoreThanTheRate(t *testing.T) {
	tab, _ := table()
	var all sync.WaitGroup
	var won atomic.Int64
	for range 16 {
		all.Go(func() {
			for range 100 {
				if _, ok := tab.Take(Rate{10, time.Hour}, "login", "192.0.2.1"); ok {
					won.Add(1)
				}
			}
		})
	}
	all.Wait()
	if won.Load() != 10 {
		t.Errorf("%d of 1600 were allowed", won.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	tab, _ := table()
	b.ReportAllocs()
	for b.Loop() {
		tab.Take(Rate{10, time.Minute}, "login", "192.0.2.1")
	}
}
