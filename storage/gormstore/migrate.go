package gormstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"tegata/migrations"
)

// Migrate brings the tables of the database at url (see Config.URL) up to this program's version. Replicas that
// start together may all call it: one works, the others wait.
func Migrate(ctx context.Context, url string) error {
	provider, err := migrator(url)
	if err != nil {
		return err
	}
	defer provider.Close()
	_, err = provider.Up(ctx)
	// SQLite has no lock to wait for: who lost a race finds the tables of that step made, and looks again. A race can be
	// lost once at each step.
	for range provider.ListSources() {
		if err == nil || isPostgres(url) {
			break
		}
		_, err = provider.Up(ctx)
	}
	if err != nil {
		return fmt.Errorf("gormstore: migrate: %w", err)
	}
	return nil
}

// Status returns the version of the tables at url and the version that this program wants.
func Status(ctx context.Context, url string) (have, want int64, err error) {
	provider, err := migrator(url)
	if err != nil {
		return 0, 0, err
	}
	defer provider.Close()
	have, want, err = provider.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("gormstore: status: %w", err)
	}
	return have, want, nil
}

func migrator(url string) (*goose.Provider, error) {
	if isPostgres(url) {
		pool, err := postgresPool(url)
		if err != nil {
			return nil, err
		}
		return provider(pool, true)
	}
	file, err := sqliteFile(url)
	if err != nil {
		return nil, err
	}
	if err := createPrivate(file); err != nil {
		return nil, fmt.Errorf("gormstore: %w", err)
	}
	return provider(sqlitePool(file), false)
}

func provider(pool *sql.DB, postgres bool) (*goose.Provider, error) {
	dialect, folder := goose.DialectSQLite3, "sqlite"
	var options []goose.ProviderOption
	if postgres {
		dialect, folder = goose.DialectPostgres, "postgres"
		// An advisory lock of the session: it ends with the connection, whatever happens to the process.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	timeline, err := fs.Sub(migrations.FS, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, pool, timeline, append(options, goose.WithDisableGlobalRegistry(true))...)
}

// upToDate asks on an open pool. It does not ask goose, which would write: the serving role may lack the right to.
func (s *Store) upToDate(ctx context.Context) error {
	pool, err := s.read.DB()
	if err != nil {
		return err
	}
	p, err := provider(pool, s.postgres)
	if err != nil {
		return err
	}
	sources := p.ListSources() // in order of version
	table := "SELECT count(*) FROM sqlite_master WHERE name = 'goose_db_version'"
	if s.postgres {
		table = "SELECT count(to_regclass('goose_db_version'))"
	}
	var tables, have int64
	if err := pool.QueryRowContext(ctx, table).Scan(&tables); err != nil {
		return fmt.Errorf("gormstore: %w", err)
	}
	if tables == 0 {
		return ErrPending
	}
	const version = "SELECT coalesce(max(version_id), 0) FROM goose_db_version"
	if err := pool.QueryRowContext(ctx, version).Scan(&have); err != nil {
		return fmt.Errorf("gormstore: %w", err)
	}
	if have < sources[len(sources)-1].Version {
		return ErrPending
	}
	return nil // ahead is fine: a newer replica has migrated, and changes are made so that the older one still works
}
