// Package gormstore keeps the records of package storage in PostgreSQL or SQLite, through gorm.
// It owns every SQL statement, the schema's version and the sealing of personal columns.
// It refuses to know what the records mean: states, clocks, people and HTTP are its callers'.
package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"tegata/storage"
	"tegata/storage/seal"
)

var (
	// ErrURL: the database URL has none of the forms that Config.URL allows. The URL itself is not
	// in the text, it may hold a password.
	ErrURL = errors.New("gormstore: the database URL must be postgres://..., sqlite:PATH or file:PATH")
	// ErrPending: the tables are older than this program.
	ErrPending = errors.New("gormstore: the database is not up to date: run `tegata migrate`")
)

// Config says where the records are and who seals them.
type Config struct {
	URL         string       // postgres://..., sqlite:PATH or file:PATH
	Seal        seal.Sealer  // seals the personal columns
	Log         *slog.Logger // hears of retried conflicts; nil for silence
	MaxConns    int          // connections to PostgreSQL, or readers of SQLite, kept open; 0 means 16, or 4
	OnStatement func()       // called once for each SQL statement (BEGIN and COMMIT are none) outside Background; nil for nobody
}

// Store implements storage.Store. It is safe for concurrent use.
type Store struct {
	read, write *gorm.DB // one and the same on PostgreSQL; SQLite has many readers and one writer
	postgres    bool
	seal        seal.Sealer
	log         *slog.Logger
	onStatement func() // for hot statements; gorm's are counted by its callbacks
}

var _ storage.Store = (*Store)(nil)

// Open connects to a database that Migrate has brought up to date. ErrURL, ErrPending.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Seal == nil {
		return nil, errors.New("gormstore: personal columns need a Sealer")
	}
	s := &Store{seal: cfg.Seal, log: cfg.Log, postgres: isPostgres(cfg.URL), onStatement: cfg.OnStatement}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.upToDate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Ping asks the database for one round trip.
func (s *Store) Ping(ctx context.Context) error {
	return failure(ctx, s.read.WithContext(ctx).Exec("SELECT 1").Error)
}

// Close returns the connections.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*gorm.DB{s.read, s.write} {
		if db == nil {
			continue
		}
		pool, err := db.DB()
		if err == nil {
			err = pool.Close() // closing the one pool of PostgreSQL twice is fine
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Store) connect(cfg Config) error {
	if s.postgres {
		pool, err := postgresPool(cfg.URL)
		if err != nil {
			return err
		}
		s.write, err = gormOver(pool, postgres.New(postgres.Config{Conn: pool}), orDefault(cfg.MaxConns, 16), cfg.OnStatement)
		s.read = s.write
		return err
	}
	file, err := sqliteFile(cfg.URL)
	if err != nil {
		return err
	}
	// SQLite has one writer at a time. Queueing for it here, in order and under the caller's context, is what keeps
	// SQLITE_BUSY away; readers of the write-ahead log never wait for it.
	writer := sqlitePool(file)
	if s.write, err = gormOver(writer, gormlite.OpenDB(writer), 1, cfg.OnStatement); err != nil {
		return err
	}
	readers := sqlitePool(file, "query_only(1)")
	s.read, err = gormOver(readers, gormlite.OpenDB(readers), orDefault(cfg.MaxConns, 4), cfg.OnStatement)
	return err
}

func orDefault(n, normal int) int {
	if n > 0 {
		return n
	}
	return normal
}

// gormOver puts gorm on a pool. Prepared statements are kept by the connections themselves (pgx, and statements.go for
// SQLite), not by gorm's PrepareStmt: that hands one caller's cancelled context to the others who wait for the same
// statement, its lock can dead-lock with a transaction that holds the last connection, and it measured no faster.
func gormOver(pool *sql.DB, dialect gorm.Dialector, conns int, onStatement func()) (*gorm.DB, error) {
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns) // the default of 2 would reconnect under load
	db, err := gorm.Open(dialect, &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true, // upToDate is the first question, and it has a context
		TranslateError:         true,
		QueryFields:            true,           // a column added by a newer replica must not break SELECT *
		Logger:                 logger.Discard, // bound values are hashes and sealed data
	})
	if err != nil || onStatement == nil {
		return db, err
	}
	return db, countStatements(db, onStatement)
}

type backgroundKey struct{}

// Background marks work that no request waits for: OnStatement does not hear of it, so that it counts what a login costs.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func countStatements(db *gorm.DB, onStatement func()) error {
	count := func(db *gorm.DB) {
		if db.Statement.Context.Value(backgroundKey{}) == nil {
			onStatement()
		}
	}
	on := db.Callback()
	return errors.Join(
		on.Create().Before("gorm:create").Register("tegata:count", count),
		on.Query().Before("gorm:query").Register("tegata:count", count),
		on.Row().Before("gorm:row").Register("tegata:count", count),
		on.Update().Before("gorm:update").Register("tegata:count", count),
		on.Delete().Before("gorm:delete").Register("tegata:count", count),
		on.Raw().Before("gorm:raw").Register("tegata:count", count),
	)
}

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

func postgresPool(url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("gormstore: %w", err) // pgx stars out the password
	}
	return stdlib.OpenDB(*config), nil
}
