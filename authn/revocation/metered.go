package revocation

import (
	"context"
	"sync"
	"time"

	"tegata/storage"
)

// Prices are what an authority takes for one answer, in yen (J-LIS: 2 for user authentication, 20 for a signature).
type Prices struct {
	Authentication, Signature int64
	Relation                  int64     // one question about linking or correspondence
	Latest                    int64     // one question for someone's latest attributes
	FreeUntil                 time.Time // nothing is charged before; zero: no free period
}

// At is the unit price of a question at a time. A purpose nobody knows is charged like the dearer one.
func (p Prices) At(purpose string, at time.Time) int64 {
	switch {
	case at.Before(p.FreeUntil):
		return 0
	case purpose == "authentication":
		return p.Authentication
	case purpose == PurposeLink || purpose == PurposeCorrespondence:
		return p.Relation
	case purpose == PurposeLatest:
		return p.Latest
	}
	return p.Signature
}

// Metered tells Ledger of every question that goes out, before it goes: one that fails may be billed too.
type Metered struct {
	Next   Checker
	Ledger *Ledger
}

// Check counts and asks.
func (m Metered) Check(ctx context.Context, q Question) (Answer, error) {
	m.Ledger.count(q)
	return m.Next.Check(ctx, q)
}

// fees is the one method of the store that the ledger needs.
type fees interface {
	AddFees(ctx context.Context, fees []storage.Fee) error
}

// Ledger counts questions by month, relying party and purpose. It counts in memory and writes the sums every few
// seconds, so that a login has no statement for it; a crash loses the last few seconds.
type Ledger struct {
	Store  fees
	Prices Prices
	Now    func() time.Time

	mu     sync.Mutex
	counts map[storage.Fee]int64 // by everything but Queries
}

// jst is where the months of the bill begin.
var jst = time.FixedZone("JST", 9*60*60)

func (l *Ledger) count(q Question) {
	now := l.Now()
	key := storage.Fee{Month: now.In(jst).Format("2006-01"), ClientID: q.Client, Purpose: q.Purpose, UnitYen: l.Prices.At(q.Purpose, now)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[storage.Fee]int64{}
	}
	l.counts[key]++
}

// Flush writes what was counted. What could not be written is counted on.
func (l *Ledger) Flush(ctx context.Context) error {
	l.mu.Lock()
	counts := l.counts
	l.counts = nil
	l.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	rows := make([]storage.Fee, 0, len(counts))
	for row, n := range counts {
		row.Queries = n
		rows = append(rows, row)
	}
	err := l.Store.AddFees(ctx, rows)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[storage.Fee]int64{}
	}
	for row, n := range counts {
		l.counts[row] += n
	}
	return err
}
