package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"tegata/authn/fail"
)

const (
	// MaxKeep is the longest time that a good answer may be used again, whatever an operator configures (R12).
	MaxKeep = time.Minute
	// askFor bounds one shared question, also when everybody who waits for it has gone.
	askFor = 5 * time.Second
	// maxKept bounds the memory; past it the cache starts again from nothing, which costs questions only.
	maxKept = 10000
)

// Shared asks once for all who ask the same at the same time, and may use a good answer again for a short while.
// What is not good is asked about every time: a suspension that was lifted must show at once.
type Shared struct {
	Next Checker
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Keep is how long a good answer may be used again, at most MaxKeep and never past its own NextUpdate. 0, the
	// default, asks anew for every login (R12).
	Keep time.Duration

	mu      sync.Mutex
	flights map[[sha256.Size]byte]*flight
	kept    map[[sha256.Size]byte]kept
}

// flight is one question under way.
type flight struct {
	done   chan struct{}
	answer Answer
	err    error
}

type kept struct {
	answer Answer
	until  time.Time
}

// Check joins the question under way or asks it. A caller that goes away leaves it to the others.
func (s *Shared) Check(ctx context.Context, q Question) (Answer, error) {
	if q.Leaf == nil && q.Serial == nil || q.Issuer == nil {
		return Answer{}, fail.RevocationUnavailable.Because(errNoCertificate)
	}
	key := same(q)
	f, answer, hit := s.join(ctx, key, q)
	if hit {
		return answer, nil
	}
	select {
	case <-f.done:
		return f.answer, f.err
	case <-ctx.Done():
		return Answer{}, fail.RevocationUnavailable.Because(context.Cause(ctx))
	}
}

// same is equal for two questions about one certificate. A certificate and a bare number never meet: DER is no number.
func same(q Question) [sha256.Size]byte {
	subject := []byte("number")
	if q.Leaf != nil {
		subject = bytes.Clone(q.Leaf.Raw)
	} else {
		subject = append(subject, q.Serial.Bytes()...)
	}
	return sha256.Sum256(append(subject, q.Issuer.Raw...))
}

func (s *Shared) join(ctx context.Context, key [sha256.Size]byte, q Question) (*flight, Answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if k, ok := s.kept[key]; ok && now.Before(k.until) {
		return nil, k.answer, true
	}
	if f, ok := s.flights[key]; ok {
		return f, Answer{}, false
	}
	if s.flights == nil {
		s.flights = map[[sha256.Size]byte]*flight{}
	}
	f := &flight{done: make(chan struct{})}
	s.flights[key] = f
	go s.ask(context.WithoutCancel(ctx), key, q, f, now)
	return f, Answer{}, false
}

// ask counts the time of keeping from the question, not from the answer.
func (s *Shared) ask(ctx context.Context, key [sha256.Size]byte, q Question, f *flight, asked time.Time) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	f.answer, f.err = s.Next.Check(ctx, q)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flights, key)
	close(f.done)
	keep := min(s.Keep, MaxKeep)
	if keep <= 0 || f.err != nil || f.answer.Status != Good {
		delete(s.kept, key)
		return
	}
	until := asked.Add(keep)
	if next := f.answer.NextUpdate; !next.IsZero() && next.Before(until) {
		until = next
	}
	if s.kept == nil || len(s.kept) >= maxKept {
		s.kept = map[[sha256.Size]byte]kept{}
	}
	s.kept[key] = kept{f.answer, until}
}

func (s *Shared) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
