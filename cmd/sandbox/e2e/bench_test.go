package e2e_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// cost of one operation.
type cost struct {
	database   string
	kind       kind
	users      int
	cpu        float64 // ms of the server's process
	databaseMS float64 // ms of the database's processes; 0 where the server is the database, or where it cannot be seen
	statements float64
	commits    float64 // transactions that wrote; 0 where it cannot be seen
	mallocs    float64
	kib        float64
	yardstick  float64 // µs; see there
	bar        float64 // scaled ms of both; 0 for none
	most       float64 // SQL statements; 0 for no limit
}

// BenchmarkServer says what each operation costs the server. ns/op, B/op and allocs/op are of this process, which plays
// everybody else; the metrics per operation are the server's.
func BenchmarkServer(b *testing.B) {
	o := newOutside(b)
	var table []cost
	for i, db := range databases {
		s := o.serve(b, db.name, db.url(b), nil)
		s.warmUp(b)
		for _, op := range operations {
			for _, users := range op.users {
				c := cost{database: db.name, kind: op.kind, users: users, bar: op.bars[i]}
				if db.name == "Postgres" {
					c.most = op.most
				}
				b.Run(fmt.Sprintf("%s/%s/%d-users", c.database, c.kind, c.users), func(b *testing.B) { s.measure(b, &c, op) })
				if c.mallocs > 0 { // -bench may have left it out
					table = append(table, c)
				}
			}
		}
	}
	print(table)
}

// warmUp lets everybody log in once: cards are made, connections opened, code paged in.
func (s *server) warmUp(b *testing.B) {
	s.register(b, holders)
	shops := s.take(holders)
	must(b, crowd(4, holders, func(_, i int) error { return s.login(b.Context(), shops[i], holder(i), "") }))
}

// measure fills in c with the cost of one of b.N operations.
func (s *server) measure(b *testing.B, c *cost, op operation) {
	do := op.prepare(s, b, c.users)
	before, cluster, stop := s.usage(b), s.cluster(b), yardstick(b)
	b.ResetTimer()
	err := crowd(c.users, b.N*op.times, do)
	b.StopTimer()
	c.yardstick = stop()
	after, clusterAfter := s.usage(b), s.cluster(b)
	must(b, err)
	n := float64(b.N * op.times)
	c.cpu = float64(after.CPU-before.CPU) / 1e6 / n
	c.statements = float64(after.Statements-before.Statements) / n
	c.mallocs = float64(after.Mallocs-before.Mallocs) / n
	c.kib = float64(after.Bytes-before.Bytes) / 1024 / n
	c.databaseMS = float64(clusterAfter.cpu-cluster.cpu) / float64(time.Millisecond) / n
	c.commits = float64(clusterAfter.commits-cluster.commits) / n
	b.ReportMetric(c.cpu, "server-cpu-ms/op")
	b.ReportMetric(c.statements, "sql/op")
	b.ReportMetric(c.mallocs, "server-allocs/op")
	if s.name == "Postgres" {
		b.ReportMetric(c.databaseMS, "db-cpu-ms/op")
	}
}

func (s *server) take(n int) []shop {
	taken := s.spare[:n]
	s.spare = s.spare[n:]
	return taken
}

func print(table []cost) {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "database\toperation\tusers\tserver CPU ms\tdatabase CPU ms\tSQL\tcommits\tallocations\tKiB\tP-256 verification µs\tscaled ms\tbar ms\tverdict\t")
	for _, c := range table {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.3f\t%s\t%.1f\t%s\t%.0f\t%.0f\t%.0f\t%.3f\t%s\t%s\t\n", c.database, c.kind, c.users, c.cpu,
			known(c.databaseMS, "%.3f"), c.statements, known(c.commits, "%.1f"), c.mallocs, c.kib, c.yardstick, c.scaled(), known(c.bar, "%.3f"), c.verdict())
	}
	_ = w.Flush() // to a terminal
	fmt.Printf("\nOn Postgres each statement is one round trip; its disk is not waited for (fsync=off). Scaled: CPU of server and database together,\n"+
		"as if a P-256 verification took %.0f µs, as where the bars were set. The bars are printed and not enforced: CPU time is the machine's.\n", usualVerification)
	for _, c := range table {
		if base, ok := find(table, c.database, first, c.users); ok && c.kind == repeat {
			fmt.Printf("  %s, users %d: repeat / first = %.2f\n", c.database, c.users, c.total()/base.total())
		}
	}
}

// verdict names what is above its bar.
func (c cost) verdict() string {
	missed := ""
	if c.bar > 0 && c.scaled() > c.bar {
		missed += " CPU"
	}
	if c.most > 0 && math.Round(c.statements) > c.most { // a client is read again each second, so the mean is a little off
		missed += " SQL"
	}
	switch {
	case missed != "":
		return "missed:" + missed
	case c.bar == 0 && c.most == 0:
		return "-"
	}
	return "met"
}

func (c cost) total() float64 { return c.cpu + c.databaseMS }

// scaled is what the operation would cost where the bars were set.
func (c cost) scaled() float64 { return c.total() * usualVerification / c.yardstick }

func find(table []cost, database string, k kind, users int) (cost, bool) {
	i := slices.IndexFunc(table, func(c cost) bool { return c.database == database && c.kind == k && c.users == users })
	if i < 0 {
		return cost{}, false
	}
	return table[i], true
}

// known is a number, or a dash for one that was not seen.
func known(value float64, format string) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf(format, value)
}
