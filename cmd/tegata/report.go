package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"tegata/authn/fail"
	"tegata/storage"
)

type reportCommands struct {
	Fees     reportFees     `cmd:"" help:"Revocation queries of a month by relying party, purpose and price."`
	Incident reportIncident `cmd:"" help:"What happened under the number that a person saw."`
}

type reportFees struct {
	database
	Month string `help:"Month in Japan, such as 2026-11; the present one if left out."`
}

// Run prints a table and its sum. What a server counted in its last seconds is not in it yet.
func (r *reportFees) Run(ctx context.Context, t terminal) error {
	if r.Month == "" {
		r.Month = time.Now().In(time.FixedZone("JST", 9*60*60)).Format("2006-01")
	}
	if _, err := time.Parse("2006-01", r.Month); err != nil {
		return usageError{errors.New("--month must be a month such as 2026-11")}
	}
	store, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	fees, err := store.Fees(ctx, r.Month)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MONTH\tCLIENT_ID\tPURPOSE\tQUERIES\tUNIT YEN\tYEN")
	var queries, yen int64
	for _, f := range fees {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", f.Month, f.ClientID, f.Purpose, f.Queries, f.UnitYen, f.Queries*f.UnitYen)
		queries, yen = queries+f.Queries, yen+f.Queries*f.UnitYen
	}
	fmt.Fprintf(w, "%s\ttotal\t\t%d\t\t%d\n", r.Month, queries, yen)
	return w.Flush()
}

type reportIncident struct {
	database
	ID string `arg:"" help:"The number on the page, such as T-ABCDEFGH."`
}

// Run prints the record as JSON. The log has the same number with the cause.
func (r *reportIncident) Run(ctx context.Context, t terminal) error {
	store, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // nothing is pending
	in, err := store.Incident(ctx, r.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no incident %q", r.ID)
	}
	if err != nil {
		return err
	}
	return writeJSON(t.Out, map[string]any{
		"incident": in.ID, "time": in.At.UTC(), "event": in.Event, "code": in.Code, "client_id": in.ClientID, "who_can_help": fail.ByCode(in.Code).Who,
	})
}
