package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// asker runs a hot statement on one connection. What it returns is as of Store.run.
type asker func(h hot, values []any, fields ...any) (int64, error)

// embedded gives work a connection to SQLite itself, which hears of ctx's end: the database is in this process, and
// database/sql between them costs as much as a short statement does.
func embedded(ctx context.Context, pool *sql.DB, work func(conn *rememberingConn) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // back to the pool
	return conn.Raw(func(driver any) error {
		conn := driver.(*rememberingConn)
		defer conn.Raw().SetInterrupt(conn.Raw().SetInterrupt(ctx))
		return work(conn)
	})
}

// together runs work in a transaction of SQLite, which is alone from its beginning on. An error undoes it.
func (s *Store) together(ctx context.Context, work func(ask asker) error) error {
	pool, err := s.write.DB()
	if err != nil {
		return err
	}
	err = embedded(ctx, pool, func(conn *rememberingConn) error {
		if _, err := conn.ask("BEGIN IMMEDIATE", nil, nil); err != nil {
			return err
		}
		err := work(func(h hot, values []any, fields ...any) (int64, error) {
			if err := s.ready(ctx, values); err != nil {
				return 0, err
			}
			return conn.ask(h.sqlite, values, fields)
		})
		if err == nil {
			_, err = conn.ask("COMMIT", nil, nil)
		}
		if err != nil && !conn.Raw().GetAutocommit() {
			conn.Raw().SetInterrupt(context.Background()) // whoever hung up: the next one gets a clean connection
			_, undone := conn.ask("ROLLBACK", nil, nil)
			err = errors.Join(err, undone)
		}
		return err
	})
	return failure(ctx, s.translated(err))
}

// ask runs text. With fields it scans a row into them and returns how many there were; without, how many it changed.
func (c *rememberingConn) ask(text string, values, fields []any) (n int64, err error) {
	stmt, err := c.compiled(text)
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = stmt.Reset() // says once more what Err has said
		err = errors.Join(err, stmt.ClearBindings())
	}()
	for i, value := range values {
		if err := put(stmt, i+1, value); err != nil {
			return 0, err
		}
	}
	for ; stmt.Step(); n++ {
		for i, field := range fields {
			if err := take(stmt, i, field); err != nil {
				return n, err
			}
		}
	}
	if err := stmt.Err(); err != nil || len(fields) > 0 {
		return n, err
	}
	return c.Raw().Changes(), nil
}

// compiled keeps a statement for as long as the connection lives.
func (c *rememberingConn) compiled(text string) (*sqlite3.Stmt, error) {
	if known := c.hot[text]; known != nil {
		return known, nil
	}
	stmt, _, err := c.Raw().Prepare(text)
	if err == nil {
		c.hot[text] = stmt
	}
	return stmt, err
}

// put binds what Store.bind makes of values.
func put(stmt *sqlite3.Stmt, i int, value any) error {
	switch value := value.(type) {
	case nil:
		return stmt.BindNull(i)
	case string:
		return stmt.BindText(i, value)
	case []byte:
		return stmt.BindBlob(i, value)
	case int64:
		return stmt.BindInt64(i, value)
	case int:
		return stmt.BindInt(i, value)
	case bool:
		return stmt.BindBool(i, value)
	}
	return fmt.Errorf("a %T cannot be bound", value)
}

// take reads a column into a field of a row, or into a pointer to one where there may be nothing.
func take(stmt *sqlite3.Stmt, i int, field any) error {
	null := stmt.ColumnType(i) == sqlite3.NULL
	switch field := field.(type) {
	case **string:
		if *field = nil; !null {
			text := stmt.ColumnText(i)
			*field = &text
		}
		return nil
	case **int64:
		if *field = nil; !null {
			number := stmt.ColumnInt64(i)
			*field = &number
		}
		return nil
	case *instant:
		if field.Time = (instant{}).Time; !null {
			return field.Scan(stmt.ColumnInt64(i))
		}
		return nil
	case *blob:
		return field.ScanBytes(stmt.ColumnRawBlob(i))
	case interface{ ScanBytes([]byte) error }: // a document
		return field.ScanBytes(stmt.ColumnRawText(i))
	}
	if null {
		return fmt.Errorf("column %d has no value", i)
	}
	switch field := field.(type) {
	case *string:
		*field = stmt.ColumnText(i)
	case *int64:
		*field = stmt.ColumnInt64(i)
	case *int:
		*field = stmt.ColumnInt(i)
	case *bool:
		*field = stmt.ColumnBool(i)
	default:
		return fmt.Errorf("a column does not fit into a %T", field)
	}
	return nil
}
