package gormstore

import (
	"bytes"
	"errors"
	"math/bits"
	"reflect"
	"strings"
	"sync"
	"time"

	"tegata/storage"
)

// loginColumn is one column of a login but its id.
type loginColumn struct {
	name string
	same func(a, b *storage.Login) bool
	of   func(s *Store, l *storage.Login) (any, error) // as it is stored
}

// A login has many columns and a step changes few of them. Writing the others again would cost more than the step: each is
// sealed or encoded, sent, parsed and checked.
var loginTable = []loginColumn{
	same("version", func(l *storage.Login) int64 { return l.Version }),
	same("state", func(l *storage.Login) string { return string(l.State) }),
	same("client_id", func(l *storage.Login) string { return l.ClientID }),
	{"request", sameRequest, (*Store).request},
	opaque("browser_hash", func(l *storage.Login) []byte { return l.BrowserHash }),
	moment("created_at", func(l *storage.Login) time.Time { return l.CreatedAt }),
	moment("expires_at", func(l *storage.Login) time.Time { return l.ExpiresAt }),
	opaque("ticket_hash", func(l *storage.Login) []byte { return l.TicketHash }),
	moment("ticket_expires", func(l *storage.Login) time.Time { return l.TicketExpires }),
	same("ticket_serial", func(l *storage.Login) int64 { return l.TicketSerial }),
	opaque("agent_key", func(l *storage.Login) []byte { return l.AgentKey }),
	same("agent_version", func(l *storage.Login) string { return l.AgentVersion }),
	same("return_to", func(l *storage.Login) string { return l.ReturnTo }),
	opaque("nonce", func(l *storage.Login) []byte { return l.Nonce }),
	same("number", func(l *storage.Login) string { return l.Number }),
	same("progress", func(l *storage.Login) string { return l.Progress }),
	same("tries", func(l *storage.Login) int64 { return int64(l.Tries) }),
	same("account_id", func(l *storage.Login) string { return l.AccountID }),
	moment("auth_time", func(l *storage.Login) time.Time { return l.AuthTime }),
	same("acr", func(l *storage.Login) string { return l.ACR }),
	{"amr", func(a, b *storage.Login) bool { return reflect.DeepEqual(a.AMR, b.AMR) },
		func(_ *Store, l *storage.Login) (any, error) { return document[[]string]{l.AMR}, nil }},
	personal(loginFacts, func(l *storage.Login) []byte { return l.Facts }),
	personal(loginCard, func(l *storage.Login) []byte { return l.Card }),
	personal(loginSignCard, func(l *storage.Login) []byte { return l.SignCard }),
	opaque("completion_hash", func(l *storage.Login) []byte { return l.CompletionHash }),
	moment("completion_expires", func(l *storage.Login) time.Time { return l.CompletionExpires }),
	same("session_id", func(l *storage.Login) string { return l.SessionID }),
	same("failure", func(l *storage.Login) string { return l.Failure }),
}

func same[T comparable](name string, of func(*storage.Login) T) loginColumn {
	return loginColumn{name, func(a, b *storage.Login) bool { return of(a) == of(b) },
		func(_ *Store, l *storage.Login) (any, error) { return of(l), nil }}
}

func opaque(name string, of func(*storage.Login) []byte) loginColumn {
	return loginColumn{name, func(a, b *storage.Login) bool { return bytes.Equal(of(a), of(b)) },
		func(_ *Store, l *storage.Login) (any, error) { return blob(of(l)), nil }}
}

func moment(name string, of func(*storage.Login) time.Time) loginColumn {
	return loginColumn{name, func(a, b *storage.Login) bool { return of(a).Equal(of(b)) },
		func(_ *Store, l *storage.Login) (any, error) { return instant{of(l)}, nil }}
}

func personal(p place, of func(*storage.Login) []byte) loginColumn {
	return loginColumn{p.column, func(a, b *storage.Login) bool { return bytes.Equal(of(a), of(b)) },
		func(s *Store, l *storage.Login) (any, error) { return s.sealed(p, l.ID, of(l)) }}
}

func sameRequest(a, b *storage.Login) bool { return reflect.DeepEqual(a.Request, b.Request) }

// request is a document with one sealed member.
func (s *Store) request(l *storage.Login) (any, error) {
	r := l.Request
	asked, err := s.sealed(loginClaims, l.ID, r.Claims)
	r.Claims = asked
	return document[storage.AuthRequest]{r}, err
}

// loginColumns is a set of columns of loginTable: bit n stands for the nth.
type loginColumns uint64

// everyColumn is all of loginTable.
var everyColumn = loginColumns(1)<<len(loginTable) - 1

// changes are the columns in which next differs from was.
func changes(was, next *storage.Login) loginColumns {
	var set loginColumns
	for i := range loginTable {
		if !loginTable[i].same(was, next) {
			set |= 1 << i
		}
	}
	return set
}

// each calls do for the columns of the set, in the table's order.
func (c loginColumns) each(do func(column *loginColumn)) {
	for i := range loginTable {
		if c&(1<<i) != 0 {
			do(&loginTable[i])
		}
	}
}

// join is "a, b, c" with nothing behind each.
func (c loginColumns) join(behind string) string {
	var parts []string
	c.each(func(column *loginColumn) { parts = append(parts, column.name+behind) })
	return strings.Join(parts, ", ")
}

// marks is "?, ?, ?".
func (c loginColumns) marks() string {
	return strings.TrimSuffix(strings.Repeat("?, ", bits.OnesCount64(uint64(c))), ", ")
}

// swapText is every change of a login: who comes second finds another version and changes nothing.
func (c loginColumns) swapText() string {
	return "UPDATE logins SET " + c.join(" = ?") + " WHERE id = ? AND version = ?"
}

// changing is a way to change a login: SQL around swapText, which depends on what changes.
type changing struct {
	sql   func(changed loginColumns) hot
	known sync.Map // hot by loginColumns: a step changes the same columns every time
}

func (c *changing) statement(changed loginColumns) hot {
	known, ok := c.known.Load(changed)
	if !ok {
		known, _ = c.known.LoadOrStore(changed, c.sql(changed))
	}
	return known.(hot)
}

// loginValues are what the columns of the set are set to, with room for a few more values.
func (s *Store) loginValues(set loginColumns, l *storage.Login) (values []any, err error) {
	values = make([]any, 0, bits.OnesCount64(uint64(set))+16)
	set.each(func(column *loginColumn) {
		value, e := column.of(s, l)
		values, err = append(values, value), errors.Join(err, e)
	})
	return values, err
}

// swapValues are what swapText wants. The columns that have not changed are as they were: was is the record at
// its version, and each version was written once.
func (s *Store) swapValues(was, next *storage.Login) (loginColumns, []any, error) {
	if next.ID != was.ID || next.Version != was.Version+1 {
		return 0, nil, storage.ErrStale
	}
	changed := changes(was, next)
	values, err := s.loginValues(changed, next)
	return changed, append(values, was.ID, was.Version), err
}
