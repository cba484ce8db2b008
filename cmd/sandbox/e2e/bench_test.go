package e2e_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

// kind of a login: see bench_login_test.go.
type kind string

const (
	first  kind = "first"
	repeat kind = "repeat"
)

// targets of one login, on either database. They are printed and not enforced: CPU time is the machine's.
var targets = map[kind]struct{ cpu, statements float64 }{first: {3, 8}, repeat: {1.5, 5}}

// cost of one login.
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
}

// BenchmarkLogin says what one login costs the server. ns/op, B/op and allocs/op are of this process, which plays
// everybody else; the metrics per login are the server's.
func BenchmarkLogin(b *testing.B) {
	o := newOutside(b)
	var table []cost
	for _, db := range databases {
		s := o.serve(b, db.name, db.url(b), nil)
		s.warmUp(b)
		for _, c := range []cost{
			{kind: first, users: 1}, {kind: repeat, users: 1}, {kind: first, users: 16}, {kind: repeat, users: 16}, {kind: first, users: 64},
		} {
			c.database = db.name
			b.Run(fmt.Sprintf("%s/%s/%d-users", c.database, c.kind, c.users), func(b *testing.B) { s.measure(b, &c) })
			if c.mallocs > 0 { // -bench may have left it out
				table = append(table, c)
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

// measure fills in c with the cost of one of b.N logins.
func (s *server) measure(b *testing.B, c *cost) {
	login := s.firstLogins(b)
	if c.kind == repeat {
		login = s.repeatLogins(b, c.users)
	}
	before, cluster, stop := s.usage(b), s.cluster(b), yardstick(b)
	b.ResetTimer()
	err := crowd(c.users, b.N, login)
	b.StopTimer()
	c.yardstick = stop()
	after, clusterAfter := s.usage(b), s.cluster(b)
	must(b, err)
	n := float64(b.N)
	c.cpu = float64(after.CPU-before.CPU) / 1e6 / n
	c.statements = float64(after.Statements-before.Statements) / n
	c.mallocs = float64(after.Mallocs-before.Mallocs) / n
	c.kib = float64(after.Bytes-before.Bytes) / 1024 / n
	c.databaseMS = float64(clusterAfter.cpu-cluster.cpu) / float64(time.Millisecond) / n
	c.commits = float64(clusterAfter.commits-cluster.commits) / n
	b.ReportMetric(c.cpu, "server-cpu-ms/login")
	b.ReportMetric(c.statements, "sql/login")
	b.ReportMetric(c.mallocs, "allocs/login")
	if s.name == "Postgres" {
		b.ReportMetric(c.databaseMS, "db-cpu-ms/login")
	}
}

func (s *server) firstLogins(b *testing.B) func(user, i int) error {
	s.register(b, b.N)
	shops := s.take(b.N)
	return func(user, i int) error { return s.login(b.Context(), shops[i], holder(user), "") }
}

// repeatLogins lets each user have her first login beforehand.
func (s *server) repeatLogins(b *testing.B, users int) func(user, i int) error {
	s.register(b, 1)
	at, dir := s.take(1)[0], b.TempDir()
	jar := func(user int) string { return filepath.Join(dir, fmt.Sprint("cookies", user)) }
	again := func(user, _ int) error { return s.login(b.Context(), at, holder(user), jar(user)) }
	must(b, crowd(4, users, func(_, i int) error { return again(i, 0) }))
	return again
}

func (s *server) take(n int) []shop {
	taken := s.spare[:n]
	s.spare = s.spare[n:]
	return taken
}

func print(table []cost) {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "database\tlogin\tusers\tserver CPU ms\tdatabase CPU ms\tSQL\tcommits\tallocations\tKiB\ttarget ms, SQL\tverdict\tP-256 verification µs\tscaled ms\t")
	for _, c := range table {
		t := targets[c.kind]
		fmt.Fprintf(w, "%s\t%s\t%d\t%.2f\t%s\t%.1f\t%s\t%.0f\t%.0f\t%.1f, %.0f\t%s\t%.0f\t%.2f\t\n", c.database, c.kind, c.users, c.cpu,
			known(c.databaseMS, "%.2f"), c.statements, known(c.commits, "%.1f"), c.mallocs, c.kib, t.cpu, t.statements, c.verdict(),
			c.yardstick, c.cpu*usualVerification/c.yardstick)
	}
	_ = w.Flush() // to a terminal
	fmt.Printf("\nOn Postgres each statement is one round trip; its disk is not waited for (fsync=off).\n"+
		"Scaled: as if a P-256 verification took %.0f µs, as where the targets were set. CPU of server and database together:\n", usualVerification)
	for _, c := range table {
		if base, ok := find(table, c.database, first, c.users); ok && c.kind == repeat {
			fmt.Printf("  %s, users %d: repeat / first = %.2f\n", c.database, c.users, c.total()/base.total())
		}
	}
	for _, c := range table {
		if base, ok := find(table, databases[0].name, c.kind, c.users); ok && base.database != c.database {
			fmt.Printf("  %s, users %d: %s / %s = %.2f\n", c.kind, c.users, c.database, base.database, c.total()/base.total())
		}
	}
}

// verdict names what is above its target.
func (c cost) verdict() string {
	t, missed := targets[c.kind], ""
	if c.cpu > t.cpu {
		missed += " CPU"
	}
	if math.Round(c.statements) > t.statements { // a client is read again each second, so the mean is a little off
		missed += " SQL"
	}
	if missed == "" {
		return "met"
	}
	return "missed:" + missed
}

func (c cost) total() float64 { return c.cpu + c.databaseMS }

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
