// Package limit owns counting: how many attempts a source has had lately, and when it may try again.
// It knows keys, rates and time. It refuses to know what an attempt is, HTTP and people; of a key it keeps a few bits of a
// hash with a secret seed, so its memory names nobody.
package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

// Rate allows Attempts at once and as many again in every Per. The zero Rate allows everything.
type Rate struct {
	Attempts int
	Per      time.Duration
}

// Of divides a rate among replicas that do not know of one another: together they allow no more than the rate, rounded up
// to whole attempts of each.
func (r Rate) Of(replicas int) Rate {
	if replicas > 1 {
		r.Attempts = (r.Attempts + replicas - 1) / replicas
	}
	return r
}

// The table has two places for every key, of a few slots each: a million keys find room in 10 MiB with hardly one turned
// out before its time. A slot is 8 bytes: what is left of the hash, and when the key has no debt any more.
const (
	ways    = 8
	buckets = 163_840
	dueMask = 1<<42 - 1
	tick    = time.Second / 32768 // 42 bits of them are four years
)

// Table counts attempts by key (GCRA: what a key has used is kept as the time at which it will have been forgotten). Make it
// with New; it is safe for concurrent use.
type Table struct {
	now   func() time.Time
	start time.Time
	seed  maphash.Seed
	mu    sync.Mutex
	slots []uint64
}

// New makes an empty table of 10 MiB, which the system gives only as it is used.
func New(now func() time.Time) *Table {
	return &Table{now: now, start: now(), seed: maphash.MakeSeed(), slots: make([]uint64, buckets*ways)}
}

// Take counts one attempt of a source of a kind; ok says whether it may go on, and wait how long it has to wait otherwise.
// A refused attempt costs nothing. A nil Table allows everything.
func (t *Table) Take(rate Rate, kind, source string) (wait time.Duration, ok bool) {
	if t == nil || rate.Attempts <= 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now, step := t.ticks(), rate.step()
	slot := t.find(now, kind, source)
	due := max(*slot&dueMask, now) + step
	if most := now + step*uint64(rate.Attempts); due > most {
		return time.Duration(due-most) * tick, false
	}
	*slot = *slot&^dueMask | due
	return 0, true
}

// Return takes one attempt back: it turned out to be none.
func (t *Table) Return(rate Rate, kind, source string) {
	if t == nil || rate.Attempts <= 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.ticks()
	slot := t.find(now, kind, source)
	due := max(*slot&dueMask, now+rate.step()) - rate.step()
	*slot = *slot&^dueMask | due
}

// Step is how long one attempt takes to be forgotten.
func (r Rate) Step() time.Duration { return r.Per / time.Duration(max(r.Attempts, 1)) }

func (r Rate) step() uint64 { return max(uint64(r.Per/tick)/uint64(r.Attempts), 1) }

// ticks is the time. It begins at 1: nothing is due at 0, so no used slot is 0.
func (t *Table) ticks() uint64 { return uint64(max(t.now().Sub(t.start), 0)/tick) + 1 }

// find gives the slot of a key. A new key goes where there is more room of its two places; where there is none, the key
// with the least debt is forgotten.
func (t *Table) find(now uint64, kind, source string) *uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	_, _ = h.WriteString(kind) // a Hash does not fail
	_ = h.WriteByte(0)
	_, _ = h.WriteString(source)
	sum := h.Sum64()
	mark := sum &^ dueMask
	var best place
	for _, bits := range [2]uint64{sum & 0xfffff, sum >> 20 & 0xfffff} {
		at := bits * buckets >> 20 * ways
		var p place
		for i := at; i < at+ways; i++ {
			s := &t.slots[i]
			if *s != 0 && *s&^dueMask == mark {
				return s
			}
			p.add(s, now)
		}
		if best.least == nil || p.free > best.free || p.free == best.free && *p.least&dueMask < *best.least&dueMask {
			best = p
		}
	}
	*best.least = mark
	return best.least
}

// place is what is known of some slots together.
type place struct {
	free  int     // slots whose keys have no debt
	least *uint64 // the one with the least
}

func (p *place) add(s *uint64, now uint64) {
	if *s&dueMask <= now {
		p.free++
	}
	if p.least == nil || *s&dueMask < *p.least&dueMask {
		p.least = s
	}
}
