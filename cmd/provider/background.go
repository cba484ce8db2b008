package provider

import (
	"context"
	"sync"
	"time"

	"tegata/storage/gormstore"
)

// How often the background work is done.
const (
	sweepEvery  = 5 * time.Minute        // what is past its time is removed
	followEvery = 500 * time.Millisecond // emergency switches: a replica follows within a second
	trustEvery  = 30 * time.Second       // anchors
	writeEvery  = 2 * time.Second        // fees and incidents
	rotateEvery = time.Minute            // whether signing keys are old enough; they have hours
	lastWrite   = 3 * time.Second        // for what is unwritten at the end
)

// Run does the background work until ctx ends, and then writes what is unwritten.
func (p *Provider) Run(ctx context.Context) {
	ctx = gormstore.Background(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		p.IDP.Keys.Run(ctx, func(err error) { p.log.Error("signing keys could not be read again", "cause", err.Error()) })
	})
	if p.lists != nil {
		all.Go(func() {
			p.lists.Run(ctx, func(url string, err error) {
				p.log.Error("a revocation list could not be fetched", "url", url, "cause", err.Error())
			})
		})
	}
	all.Go(func() { p.office.Run(ctx) })
	all.Go(func() { p.every(ctx, followEvery, "emergency switches could not be read", p.Follow) })
	all.Go(func() { p.every(ctx, rotateEvery, "signing keys could not be rotated", p.RotateKeys) })
	all.Go(func() { p.every(ctx, trustEvery, "anchors could not be read again", p.trust.load) })
	all.Go(func() { p.every(ctx, writeEvery, "fees and incidents could not be written", p.write) })
	all.Go(func() {
		p.every(ctx, p.status.Every(), "cards of people who stay signed in could not be looked after", p.AskStatus)
	})
	if p.latest != nil {
		all.Go(func() { p.every(ctx, p.latest.Every(), "changes of attributes could not be looked for", p.AskLatest) })
	}
	all.Go(func() {
		p.every(ctx, sweepEvery, "sweep failed", func(ctx context.Context) error {
			_, err := p.Store.Sweep(ctx, p.now())
			return err
		})
	})
	all.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
	defer cancel()
	if err := p.write(last); err != nil {
		p.log.Error("the last fees and incidents could not be written", "cause", err.Error())
	}
}

// Follow looks at the emergency switches and at whether client records have changed, as Run does twice a second.
func (p *Provider) Follow(ctx context.Context) error { return p.switches.load(ctx) }

// every repeats work until ctx ends.
func (p *Provider) every(ctx context.Context, period time.Duration, trouble string, work func(context.Context) error) {
	t := time.NewTicker(period)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := work(ctx); err != nil && ctx.Err() == nil {
				p.log.Error(trouble, "cause", err.Error())
			}
		}
	}
}

// write brings what was counted and noted into the database.
func (p *Provider) write(ctx context.Context) error {
	dropped, err := p.audit.flush(ctx)
	if dropped > 0 {
		p.log.Warn("more incidents than the audit table could take; they are in the log alone", "count", dropped)
	}
	if err == nil && p.ledger != nil {
		err = p.ledger.Flush(ctx)
	}
	return err
}
