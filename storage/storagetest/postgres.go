package storagetest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tegata/migrations"
	"tegata/storage/gormstore"
)

// Server is the environment variable that names a PostgreSQL server to make test databases on, as a URL whose role may
// create databases. Without it, each test binary starts a server of its own.
const Server = "TEGATA_TEST_POSTGRES"

// Postgres makes a fresh, migrated database that lives as long as the test, and returns its URL.
func Postgres(t testing.TB) string {
	t.Helper()
	return database(t, func(ctx context.Context, admin string) (string, error) { return template(ctx, admin) })
}

// EmptyPostgres is Postgres without the migrations.
func EmptyPostgres(t testing.TB) string {
	t.Helper()
	return database(t, func(context.Context, string) (string, error) { return "template1", nil })
}

func database(t testing.TB, from func(ctx context.Context, admin string) (string, error)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	admin, err := server()
	if err != nil {
		t.Fatal(err)
	}
	template, err := from(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	name := "tegata_" + strings.ToLower(rand.Text())
	if err := run(ctx, admin, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(context.Background(), admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return named(admin, name)
}

// template makes, once per server and version of the migrations, the database that the others are copied from.
// It is kept: on a server that several test binaries share, the next one finds it.
func template(ctx context.Context, admin string) (string, error) {
	name := "tegata_template_" + fingerprint()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	// Whoever comes while another one is migrating waits here; the lock goes with the connection.
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return "", err
	}
	var ready bool
	err = conn.QueryRow(ctx, "SELECT count(*) > 0 FROM pg_database WHERE datname = $1 AND datistemplate", name).Scan(&ready)
	if err != nil || ready {
		return name, err
	}
	for _, step := range []func() error{
		func() error { return run(ctx, admin, "DROP DATABASE IF EXISTS "+name) }, // half made by a test that was killed
		func() error { return run(ctx, admin, "CREATE DATABASE "+name) },
		func() error { return gormstore.Migrate(ctx, named(admin, name)) },
		func() error { return run(ctx, admin, "ALTER DATABASE "+name+" IS_TEMPLATE true") },
	} {
		if err := step(); err != nil {
			return "", err
		}
	}
	return name, nil
}

// fingerprint tells the versions of the migrations apart.
func fingerprint() string {
	hash := sha256.New()
	err := fs.WalkDir(migrations.FS, "postgres", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		sql, err := fs.ReadFile(migrations.FS, path)
		hash.Write(sql)
		return err
	})
	if err != nil {
		panic(err) // the files are in this binary
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

func run(ctx context.Context, admin, sql string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

func named(admin, database string) string {
	u, err := url.Parse(admin)
	if err != nil {
		panic(err) // pgx has connected with it
	}
	u.Path = "/" + database
	return u.String()
}

// server is the URL of the server in the environment, or of one that is started on the first call.
var server = sync.OnceValues(func() (string, error) {
	if url := os.Getenv(Server); url != "" {
		return url, nil
	}
	return start()
})

//go:embed postgres.sh
var script string

// lifeline keeps the script's standard input open until this process ends, in whatever way: then the script stops the
// server and removes its files. No test needs a TestMain for it.
var lifeline any

// start runs PostgreSQL on a socket in a new directory. fsync is off: the data is not worth a disk's time. A commit still writes
// the log, as everywhere, which costs less than having the log's writer woken up for it.
func start() (string, error) {
	tools, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "tegata-pg-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("/bin/sh", "-c", script, "postgres.sh", tools, dir)
	cmd.Dir = dir
	if err := unprivileged(cmd, dir); err != nil {
		return "", err
	}
	if lifeline, err = cmd.StdinPipe(); err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if said, _ := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		return "", fmt.Errorf("PostgreSQL did not start: %s", said)
	}
	return "postgres://tegata@/postgres?host=" + url.QueryEscape(dir), nil
}

// binaries is the directory of the newest PostgreSQL that Debian has installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed: `make test` installs it (Debian: apt-get install postgresql)")
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(initdb string) int {
	n, _ := strconv.Atoi(strings.Split(initdb, "/")[4]) // what is no number is older than what is
	return n
}

// unprivileged runs cmd as the user postgres when we are root, which PostgreSQL refuses to be.
func unprivileged(cmd *exec.Cmd, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	postgres, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(dir, int(uid), int(gid))
}
