package gormstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"tegata/storage"
)

// SQLSTATE of the errors that are no failures of the database.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	divisionByZero       = "22012" // of fused
	notInRepertoire      = "22021" // a NUL byte or broken UTF-8 in a text
)

// maxTries bounds the retries of one conflict: a statement that loses five times in a row is better answered with an error.
const maxTries = 5

// atomically runs work, which is one statement or one transaction, again if PostgreSQL resolved a conflict against it.
func (s *Store) atomically(ctx context.Context, work func(db *gorm.DB) error) error {
	return s.retried(ctx, func() error { return work(s.write.WithContext(ctx)) })
}

func (s *Store) retried(ctx context.Context, work func() error) error {
	for try := 1; ; try++ {
		err := work()
		code := sqlState(err)
		if try == maxTries || code != serializationFailure && code != deadlockDetected {
			return failure(ctx, err)
		}
		s.log.WarnContext(ctx, "the database resolved a conflict against us, trying again", "sqlstate", code, "try", try)
	}
}

// transaction is atomically for work of several statements. The holder of a transaction must not touch s.read or
// s.write: waiting for a second connection while holding one is how a full pool hangs.
func (s *Store) transaction(ctx context.Context, work func(tx *gorm.DB) error) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Transaction(work) })
}

// failure turns an error of gorm into one of package storage, or says that the database could not answer.
func failure(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(err, storage.ErrStale), errors.Is(err, storage.ErrNotFound):
		return err
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return storage.ErrExists
	case errors.Is(err, gorm.ErrRecordNotFound):
		return storage.ErrNotFound
	case ctx.Err() != nil: // whatever the driver made of it
		return fmt.Errorf("gormstore: %w", context.Cause(ctx))
	}
	return fmt.Errorf("gormstore: %w", err)
}

func sqlState(err error) string {
	if err == nil {
		return ""
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
