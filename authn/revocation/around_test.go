package revocation

import (
	"context"
	"crypto/x509"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tegata/authn/fail"
	"tegata/storage"
)

// told is a Checker that answers what it is told.
type told func(ctx context.Context, q Question) (Answer, error)

func (f told) Check(ctx context.Context, q Question) (Answer, error) { return f(ctx, q) }

var errDown = errors.New("down")

func TestNoneIsNeverGood(t *testing.T) {
	answer, err := None{}.Check(t.Context(), Question{})
	if err != nil || answer.Status != NotChecked || answer.Status.String() != "not checked" {
		t.Fatalf("%v %v", answer, err)
	}
	if err := Refuse(answer, err); !errors.Is(err, fail.RevocationUnavailable) {
		t.Fatalf("who does not look closer takes it for good: %v", err)
	}
}

func TestAPurposeWithoutAServiceHasNoAnswer(t *testing.T) {
	b := ByPurpose{"signature": None{}}
	if _, err := b.Check(t.Context(), Question{Purpose: "authentication"}); !errors.Is(err, fail.RevocationUnavailable) {
		t.Fatal(err)
	}
	if answer, err := b.Check(t.Context(), Question{Purpose: "signature"}); err != nil || answer.Status != NotChecked {
		t.Fatal(err)
	}
}

func TestTheBreakerOpensProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, asked := false, 0
		var heard []bool
		b := &Breaker{Next: told(func(context.Context, Question) (Answer, error) {
			asked++
			if up {
				return Answer{Status: Revoked}, nil // an answer, however bad, is a sign of life
			}
			return Answer{}, errDown
		}), Changed: func(_ string, open bool) { heard = append(heard, open) }}
		ask := func(purpose string, want error, wantAsked int) {
			t.Helper()
			_, err := b.Check(t.Context(), Question{Purpose: purpose})
			if !errors.Is(err, want) || asked != wantAsked {
				t.Fatalf("asked %d times, want %d; %v, want %v", asked, wantAsked, err, want)
			}
		}
		ask("a", errDown, 1)
		ask("a", errDown, 2)
		ask("a", errDown, 3)
		ask("a", errOpen, 3)
		ask("a", fail.RevocationUnavailable, 3)
		ask("b", errDown, 4) // another purpose has another responder
		time.Sleep(10*time.Second - 1)
		ask("a", errOpen, 4)
		time.Sleep(time.Nanosecond)
		ask("a", errDown, 5) // the probe
		ask("a", errOpen, 5)
		time.Sleep(10 * time.Second)
		up = true
		ask("a", nil, 6)
		ask("a", nil, 7)
		up = false
		ask("a", errDown, 8)
		up = true
		ask("a", nil, 9)
		up = false
		ask("a", errDown, 10)
		ask("a", errDown, 11)
		if len(heard) != 2 || !heard[0] || heard[1] {
			t.Errorf("heard %v", heard)
		}
	})
}

func TestOneProbeAtATimeAndNobodyWhoLeftCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan error)
		var asked atomic.Int64
		b := &Breaker{Next: told(func(ctx context.Context, _ Question) (Answer, error) {
			asked.Add(1)
			select {
			case err := <-gate:
				return Answer{}, err
			case <-ctx.Done():
				return Answer{}, ctx.Err()
			}
		})}
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			b.Check(ctx, Question{})
		}
		if asked.Load() != 10 {
			t.Fatal("people who left opened the circuit")
		}
		for range 3 {
			go func() { gate <- errDown }()
			b.Check(t.Context(), Question{})
		}
		time.Sleep(10 * time.Second)
		asked.Store(0)
		done := make(chan error, 5)
		for range 5 {
			go func() { _, err := b.Check(t.Context(), Question{}); done <- err }()
		}
		synctest.Wait()
		gate <- nil
		answered := 0
		for range 5 {
			if err := <-done; err == nil {
				answered++
			}
		}
		if asked.Load() != 1 || answered != 1 {
			t.Errorf("%d asked, %d answered", asked.Load(), answered)
		}
	})
}

func twoQuestions() (one, other Question) {
	issuer := &x509.Certificate{Raw: []byte("issuer")}
	return Question{Leaf: &x509.Certificate{Raw: []byte("one")}, Issuer: issuer}, Question{Leaf: &x509.Certificate{Raw: []byte("other")}, Issuer: issuer}
}

func TestTheSameQuestionIsAskedOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, other := twoQuestions()
		var asked atomic.Int64
		gate := make(chan struct{})
		s := &Shared{Next: told(func(context.Context, Question) (Answer, error) {
			asked.Add(1)
			<-gate
			return Answer{Status: Good}, nil
		})}
		impatient, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { _, err := s.Check(impatient, one); left <- err }()
		synctest.Wait()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if answer, err := s.Check(t.Context(), one); err != nil || answer.Status != Good {
					t.Errorf("%v %v", answer, err)
				}
			})
		}
		all.Go(func() { s.Check(t.Context(), other) })
		synctest.Wait()
		leave() // who asked first goes away; the others still get their answer
		if err := <-left; !errors.Is(err, context.Canceled) || !errors.Is(err, fail.RevocationUnavailable) {
			t.Error(err)
		}
		close(gate)
		all.Wait()
		if asked.Load() != 2 {
			t.Errorf("asked %d times", asked.Load())
		}
		s.Check(t.Context(), one)
		if asked.Load() != 3 {
			t.Error("an answer was kept without being told to")
		}
	})
}

func TestAGoodAnswerIsKeptNoLongerThanItMay(t *testing.T) {
	for _, tc := range []struct {
		name   string
		keep   time.Duration
		answer Answer
		err    error
		next   time.Duration // of the answer; 0: none
		want   time.Duration // how long it is used again
	}{
		{"not at all by default", 0, Answer{Status: Good}, nil, 0, 0},
		{"as long as the operator says", 20 * time.Second, Answer{Status: Good}, nil, 0, 20 * time.Second},
		{"a minute at most", time.Hour, Answer{Status: Good}, nil, 0, time.Minute},
		{"not past its next update", time.Minute, Answer{Status: Good}, nil, 7 * time.Second, 7 * time.Second},
		{"revoked is asked again", time.Minute, Answer{Status: Revoked}, nil, 0, 0},
		{"suspended is asked again", time.Minute, Answer{Status: Suspended}, nil, 0, 0},
		{"not checked is asked again", time.Minute, Answer{Status: NotChecked}, nil, 0, 0},
		{"an error is asked again", time.Minute, Answer{Status: Good}, errDown, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, _ := twoQuestions()
				asked := 0
				s := &Shared{Keep: tc.keep, Next: told(func(context.Context, Question) (Answer, error) {
					asked++
					if tc.next > 0 {
						tc.answer.NextUpdate = time.Now().Add(tc.next)
					}
					return tc.answer, tc.err
				})}
				s.Check(t.Context(), one)
				if tc.want > 0 {
					time.Sleep(tc.want - 1)
					if answer, err := s.Check(t.Context(), one); asked != 1 || err != nil || answer.Status != Good {
						t.Fatal("asked again too early")
					}
					time.Sleep(time.Nanosecond)
				}
				s.Check(t.Context(), one)
				if asked != 2 {
					t.Fatal("used for too long")
				}
			})
		})
	}
}

func TestASharedQuestionEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, _ := twoQuestions()
		s := &Shared{Next: told(func(ctx context.Context, _ Question) (Answer, error) {
			<-ctx.Done()
			return Answer{}, ctx.Err()
		})}
		began := time.Now()
		if _, err := s.Check(t.Context(), one); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != askFor {
			t.Fatalf("%v after %v", err, time.Since(began))
		}
		if _, err := s.Check(t.Context(), Question{}); !errors.Is(err, errNoCertificate) {
			t.Fatal(err)
		}
	})
}

// book is the table of fees.
type book struct {
	rows map[storage.Fee]int64
	err  error
	n    int
}

func (b *book) AddFees(_ context.Context, fees []storage.Fee) error {
	b.n++
	if b.err != nil {
		return b.err
	}
	for _, f := range fees {
		n := f.Queries
		f.Queries = 0
		b.rows[f] += n
	}
	return nil
}

func TestTheLedgerCountsWhatIsAsked(t *testing.T) {
	at := time.Date(2026, 11, 30, 14, 59, 59, 0, time.UTC) // the last second of November in Japan
	b := &book{rows: map[storage.Fee]int64{}}
	l := &Ledger{Store: b, Prices: Prices{Authentication: 2, Signature: 20, FreeUntil: at}, Now: func() time.Time { return at }}
	m := Metered{Ledger: l, Next: told(func(context.Context, Question) (Answer, error) { return Answer{}, errDown })}
	ask := func(purpose, client string) { m.Check(t.Context(), Question{Purpose: purpose, Client: client}) }
	ask("authentication", "shop") // billed though it failed
	ask("authentication", "shop")
	ask("signature", "shop")
	l.Prices.FreeUntil = at.Add(time.Second)
	ask("signature", "bank")
	at = at.Add(time.Second)
	ask("signature", "bank")
	b.err = errDown
	if err := l.Flush(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	ask("signature", "bank")
	b.err = nil
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[storage.Fee]int64{
		{Month: "2026-11", ClientID: "shop", Purpose: "authentication", UnitYen: 2}: 2,
		{Month: "2026-11", ClientID: "shop", Purpose: "signature", UnitYen: 20}:     1,
		{Month: "2026-11", ClientID: "bank", Purpose: "signature", UnitYen: 0}:      1,
		{Month: "2026-12", ClientID: "bank", Purpose: "signature", UnitYen: 20}:     2,
	}
	for row, n := range want {
		if b.rows[row] != n {
			t.Errorf("%+v: %d, want %d", row, b.rows[row], n)
		}
	}
	if len(b.rows) != len(want) {
		t.Errorf("%v", b.rows)
	}
	if b.n = 0; l.Flush(t.Context()) != nil || b.n != 0 {
		t.Error("nothing was written")
	}
}
