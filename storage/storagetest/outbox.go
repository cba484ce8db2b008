package storagetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tegata/storage"
)

const lease = time.Minute

func delivery(id string, due time.Time) storage.Delivery {
	return storage.Delivery{ID: id, Kind: "logout", ClientID: "shop", Body: []byte(`{"sub":"x"}`), CreatedAt: due, NextTry: due, GiveUp: due.Add(24 * time.Hour)}
}

// taken are the ids of what is due at a time, which is leased for a minute.
func taken(t *testing.T, s storage.Store, at time.Time) []string {
	t.Helper()
	list, err := s.TakeDeliveries(ctx(t), at, at.Add(lease), 100)
	ok(t, err)
	ids := []string{}
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	slices.Sort(ids)
	return ids
}

func deliveriesWait(t *testing.T, s storage.Store) {
	ok(t, s.PutDeliveries(ctx(t), nil))
	early, late := delivery("early", now), delivery("late", now.Add(time.Second))
	ok(t, s.PutDeliveries(ctx(t), []storage.Delivery{late, early}))
	is(t, s.PutDeliveries(ctx(t), []storage.Delivery{early}), storage.ErrExists)
	same(t, taken(t, s, now.Add(-time.Microsecond)), []string{})

	list, err := s.TakeDeliveries(ctx(t), now.Add(time.Second), now.Add(time.Second).Add(lease), 1)
	ok(t, err)
	early.Attempts, early.NextTry = 1, now.Add(time.Second).Add(lease)
	same(t, list, []storage.Delivery{early})
	full(t, list[0])
	list, err = s.TakeDeliveries(ctx(t), now.Add(time.Second), now.Add(time.Second).Add(lease), 9)
	ok(t, err)
	same(t, len(list), 1)
	same(t, list[0].ID, "late")
	ok(t, s.DropDelivery(ctx(t), list[0]))
	is(t, s.DropDelivery(ctx(t), list[0]), storage.ErrStale)

	ok(t, s.PostponeDelivery(ctx(t), early, now.Add(time.Hour)))
	same(t, taken(t, s, now.Add(time.Hour-time.Microsecond)), []string{})
	same(t, taken(t, s, now.Add(time.Hour)), []string{"early"})
}

// Who died while sending leaves the message to the next, and may not take it away from them when it wakes up.
func deliveriesOutliveTheirSender(t *testing.T, s storage.Store) {
	ok(t, s.PutDeliveries(ctx(t), []storage.Delivery{delivery("d", now)}))
	first, err := s.TakeDeliveries(ctx(t), now, now.Add(lease), 9)
	ok(t, err)
	same(t, taken(t, s, now.Add(lease-time.Microsecond)), []string{})
	second, err := s.TakeDeliveries(ctx(t), now.Add(lease), now.Add(2*lease), 9)
	ok(t, err)
	same(t, len(second), 1)
	same(t, second[0].Attempts, 2)
	is(t, s.DropDelivery(ctx(t), first[0]), storage.ErrStale)
	is(t, s.PostponeDelivery(ctx(t), first[0], now), storage.ErrStale)
	ok(t, s.DropDelivery(ctx(t), second[0]))
}

func deliveriesSwept(t *testing.T, s storage.Store) {
	ok(t, s.PutDeliveries(ctx(t), []storage.Delivery{delivery("d", now)}))
	for _, at := range []struct {
		after time.Duration
		gone  int64
	}{{24 * time.Hour, 0}, {25*time.Hour - time.Microsecond, 0}, {25 * time.Hour, 1}} {
		n, err := s.Sweep(ctx(t), now.Add(at.after))
		ok(t, err)
		same(t, n, at.gone)
	}
}

func raceDeliveries(t *testing.T, s storage.Store) {
	var all []storage.Delivery
	for i := range 100 {
		all = append(all, delivery(fmt.Sprint("d", i), now))
	}
	ok(t, s.PutDeliveries(ctx(t), all))
	var mu sync.Mutex
	sent := map[string]int{}
	for _, err := range race(racers, func(int) error {
		for range len(all) {
			list, err := s.TakeDeliveries(ctx(t), now, now.Add(lease), 7)
			if err != nil {
				return err
			}
			mu.Lock()
			for _, d := range list {
				sent[d.ID]++
			}
			mu.Unlock()
			for _, d := range list {
				if err := s.DropDelivery(ctx(t), d); err != nil {
					return err
				}
			}
		}
		return nil
	}) {
		ok(t, err)
	}
	same(t, len(sent), len(all))
	for id, times := range sent {
		if times != 1 {
			t.Errorf("%s was taken %d times", id, times)
		}
	}
}
