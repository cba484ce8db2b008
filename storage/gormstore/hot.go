package gormstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// hot is SQL that runs in every login or at every call of a relying party. Its text is made once for each database, and its
// row is scanned by the driver straight into the fields of a row struct: gorm's building of a statement and its scanning
// cost more than the database does. Everything else goes through gorm, whose pools, transactions and errors these share.
type hot struct{ sqlite, postgres string }

// hotly numbers the question marks of sql, which stand for values and for nothing else, as PostgreSQL wants them.
func hotly(sql string) hot {
	var numbered strings.Builder
	for i, part := range strings.Split(sql, "?") {
		if i > 0 {
			numbered.WriteString("$" + strconv.Itoa(i))
		}
		numbered.WriteString(part)
	}
	return hot{sql, numbered.String()}
}

// unwaited is hotly for a step whose loss means only that a person starts again: its commit is not waited for until it is
// on disk. A power cut of the database may take back the last fraction of a second of such steps, and never one of them
// without everything that came after: the log is written in order, and every later step waits for all of it. The setting
// ends with the transaction, which is this statement. sql ends with a condition.
func unwaited(sql string) hot {
	h := hotly(sql)
	h.postgres += " AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL"
	return h
}

func (s *Store) text(h hot) string {
	if s.postgres {
		return h.postgres
	}
	return h.sqlite
}

// change is run on the writing side, again if PostgreSQL resolved a conflict against it.
func (s *Store) change(ctx context.Context, h hot, values []any, fields ...any) (rows int64, err error) {
	err = s.retried(ctx, func() (err error) {
		rows, err = s.run(ctx, s.write.ConnPool, h, values, fields...)
		return err
	})
	return rows, err
}

// look is run on the reading side.
func (s *Store) look(ctx context.Context, h hot, values []any, fields ...any) (rows int64, err error) {
	rows, err = s.run(ctx, s.read.ConnPool, h, values, fields...)
	return rows, failure(ctx, err)
}

// run executes h on a pool or in a transaction. With fields it scans a row into them and returns how many there were;
// without, how many it changed. It is ready to run again with the same values.
func (s *Store) run(ctx context.Context, on gorm.ConnPool, h hot, values []any, fields ...any) (int64, error) {
	if err := s.ready(ctx, values); err != nil {
		return 0, err
	}
	switch pool, ok := on.(*sql.DB); {
	case ok && s.postgres:
		rows, err := natively(ctx, pool, h.postgres, values, fields)
		return rows, s.translated(err)
	case ok:
		var rows int64
		err := embedded(ctx, pool, func(conn *rememberingConn) (err error) {
			rows, err = conn.ask(h.sqlite, values, fields)
			return err
		})
		return rows, s.translated(err)
	}
	if len(fields) > 0 {
		rows, err := scan(ctx, on, s.text(h), values, fields)
		return rows, s.translated(err)
	}
	done, err := on.ExecContext(ctx, s.text(h), values...)
	if err != nil {
		return 0, s.translated(err)
	}
	return done.RowsAffected()
}

// within runs hot statements in a transaction of gorm.
func (s *Store) within(ctx context.Context, tx *gorm.DB) asker {
	return func(h hot, values []any, fields ...any) (int64, error) {
		return s.run(ctx, tx.Statement.ConnPool, h, values, fields...)
	}
}

// ready makes values what the drivers take, and counts.
func (s *Store) ready(ctx context.Context, values []any) error {
	if s.onStatement != nil && ctx.Value(backgroundKey{}) == nil {
		s.onStatement()
	}
	return s.bind(values)
}

// natively lets pgx itself scan into fields: database/sql would have every value made once more, with a goroutine to watch
// over it. As there, a connection that turns out to have died in the pool before anything was sent is replaced.
func natively(ctx context.Context, pool *sql.DB, text string, values, fields []any) (n int64, err error) {
	for range 3 {
		n, err = onOne(ctx, pool, func(conn *pgx.Conn) (int64, error) { return asked(ctx, conn, text, values, fields) })
		if err == nil || !pgconn.SafeToRetry(err) {
			break
		}
	}
	return n, err
}

func onOne(ctx context.Context, pool *sql.DB, work func(conn *pgx.Conn) (int64, error)) (n int64, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	err = conn.Raw(func(driver any) (err error) {
		n, err = work(driver.(*stdlib.Conn).Conn())
		return err
	})
	return n, err
}

func asked(ctx context.Context, conn *pgx.Conn, text string, values, fields []any) (n int64, err error) {
	rows, err := conn.Query(ctx, text, values...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() && len(fields) > 0 {
		if err := rows.Scan(fields...); err != nil {
			return 0, err
		}
	}
	rows.Close() // to the end: then the tag and the last error are known
	return rows.CommandTag().RowsAffected(), rows.Err()
}

// scan reads to the end: a statement that changes something has not done so for sure before.
func scan(ctx context.Context, on gorm.ConnPool, text string, values, fields []any) (n int64, err error) {
	rows, err := on.QueryContext(ctx, text, values...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has its error
	for ; rows.Next(); n++ {
		if err := rows.Scan(fields...); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}

// translated names an error as gorm does: gorm.ErrDuplicatedKey.
func (s *Store) translated(err error) error {
	if translator, ok := s.write.Dialector.(gorm.ErrorTranslator); ok && err != nil {
		return translator.Translate(err)
	}
	return err
}

// bind turns values into those that a driver takes as they are. Fields of rows come as pointers.
func (s *Store) bind(values []any) error {
	for i, value := range values {
		switch value := value.(type) {
		case *string:
			values[i] = *value
		case *int64:
			values[i] = *value
		case *int:
			values[i] = int64(*value)
		case *bool:
			values[i] = *value
		case *instant:
			values[i] = value.bound(s.postgres)
		case instant:
			values[i] = value.bound(s.postgres)
		case driver.Valuer:
			plain, err := value.Value()
			if err != nil {
				return err
			}
			values[i] = plain
		}
	}
	return nil
}
