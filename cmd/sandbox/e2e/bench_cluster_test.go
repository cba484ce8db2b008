package e2e_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is what the PostgreSQL server behind a database has done since its start. All of it is ours when storagetest
// has started it.
type cluster struct {
	cpu     time.Duration // of all its processes, those that have ended included
	commits int64         // transactions that wrote something
}

// cluster is zero for SQLite. CPU stays zero for a server that is not on this machine.
func (s *server) cluster(t testing.TB) cluster {
	t.Helper()
	if s.name != "Postgres" {
		return cluster{}
	}
	conn, err := pgx.Connect(t.Context(), s.url)
	must(t, err)
	defer conn.Close(t.Context())
	var c cluster
	must(t, conn.QueryRow(t.Context(), "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").Scan(&c.commits))
	if pid := postmaster(t, s.url); pid != "" {
		c.cpu = cpuOf(t, pid)
	}
	return c
}

// postmaster is the id of the server's first process, "" when it cannot be seen: the host is then no folder of ours.
func postmaster(t testing.TB, database string) string {
	u, err := url.Parse(database)
	must(t, err)
	file, err := os.ReadFile(filepath.Join(u.Query().Get("host"), "data", "postmaster.pid"))
	if err != nil {
		return ""
	}
	pid, _, _ := strings.Cut(string(file), "\n")
	return pid
}

// tick is the unit of /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf adds up a process, its living children, and those it has waited for.
func cpuOf(t testing.TB, pid string) time.Duration {
	parent, ok := stat(pid)
	if !ok {
		t.Fatal(fmt.Errorf("process %s cannot be seen", pid))
	}
	ticks := parent.own + parent.waited
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	must(t, err)
	for _, path := range all {
		if child, ok := stat(filepath.Base(filepath.Dir(path))); ok && child.parent == pid {
			ticks += child.own
		}
	}
	return time.Duration(ticks) * tick
}

type process struct {
	parent      string
	own, waited int64 // ticks
}

// stat reads a process; one that has just ended is not ok. Fields are counted behind the name, which may hold spaces (proc(5)).
func stat(pid string) (process, bool) {
	line, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return process{}, false
	}
	fields := strings.Fields(string(line[strings.LastIndexByte(string(line), ')')+1:]))
	if len(fields) < 15 {
		return process{}, false
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
	return process{parent: fields[1], own: number(11) + number(12), waited: number(13) + number(14)}, true
}
