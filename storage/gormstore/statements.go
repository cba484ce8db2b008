package gormstore

import (
	"context"
	"database/sql/driver"

	"github.com/ncruces/go-sqlite3"
)

// remembering makes connections that keep their prepared statements: compiling the longer ones costs SQLite more than
// running them, and database/sql's own statements cannot be used across transactions without being compiled again.
type remembering struct{ driver.Connector }

func (r remembering) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := r.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &rememberingConn{sqliteConn: conn.(sqliteConn), known: map[string]*knownStmt{}, hot: map[string]*sqlite3.Stmt{}}, nil
}

// sqliteConn leaves out ExecerContext on purpose: without it, database/sql prepares everything.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	Raw() *sqlite3.Conn
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

// rememberingConn needs no lock: database/sql gives a connection to one goroutine at a time.
type rememberingConn struct {
	sqliteConn
	known map[string]*knownStmt    // by text; this package has a few dozen texts
	hot   map[string]*sqlite3.Stmt // the same for embedded
}

func (c *rememberingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	known := c.known[query]
	if known != nil && !known.busy {
		known.busy = true
		return known, nil
	}
	stmt, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil || known != nil { // a second use while the first one's rows are open is not kept
		return stmt, err
	}
	known = &knownStmt{sqliteStmt: stmt.(sqliteStmt), busy: true}
	c.known[query] = known
	return known, nil
}

func (c *rememberingConn) Close() error {
	for _, known := range c.known {
		known.sqliteStmt.Close() // its last error was told to whoever ran it
	}
	for _, stmt := range c.hot {
		_ = stmt.Close()
	}
	return c.sqliteConn.Close()
}

type knownStmt struct {
	sqliteStmt
	busy bool
}

// Close is database/sql saying that it is done with the statement for now.
func (s *knownStmt) Close() error {
	s.busy = false
	return nil
}
