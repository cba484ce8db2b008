package gormstore

import (
	"context"
	"strings"
	"sync"

	"gorm.io/gorm"

	"tegata/storage"
)

// step is one of the writes of an approval.
type step struct {
	name      string
	sql       conditional
	values    []any
	mandatory bool // changes exactly one row, or the whole approval is stale
}

// conditional is SQL that contains {if}, the place for the condition that all earlier mandatory steps have succeeded.
type conditional struct {
	sql   string
	alone hot // without a condition
}

func conditionally(sql string) conditional {
	return conditional{sql, hotly(strings.Replace(sql, "{if}", "true", 1))}
}

func (c conditional) on(condition string) string { return strings.Replace(c.sql, "{if}", condition, 1) }

// ApproveLogin implements storage.Store. A session that ended meanwhile makes the approval stale too: its person has
// logged out, and the answer must be decided again.
func (s *Store) ApproveLogin(ctx context.Context, a storage.Approval) error {
	steps, err := s.approval(a)
	if err != nil {
		return err
	}
	if s.postgres {
		sql, values := fused(a.Login, steps)
		return swapped(s.change(ctx, sql, values))
	}
	return s.transaction(ctx, func(tx *gorm.DB) error { return s.oneByOne(ctx, tx.Statement.ConnPool, steps) })
}

// oneByOne runs the steps in a transaction, where an error undoes the earlier ones.
func (s *Store) oneByOne(ctx context.Context, tx gorm.ConnPool, steps []step) error {
	for _, step := range steps {
		changed, err := s.run(ctx, tx, step.sql.alone, step.values)
		if err != nil {
			return err
		}
		if step.mandatory && changed == 0 {
			return storage.ErrStale
		}
	}
	return nil
}

// fused makes one statement of the steps, the last of which says by its row count whether all of them happened.
// Within one statement nothing can be undone, so the login is locked first, at its expected version: a lock that had to
// be waited for looks again. Then each mandatory step runs only if the one before it changed its row.
func fused(login *storage.Login, steps []step) (sql hot, values []any) {
	var shape strings.Builder // which steps there are decides the text, and there are few shapes
	if login != nil {
		values = append(values, login.ID, login.Version-1)
		shape.WriteString("held")
	}
	for _, step := range steps {
		values = append(values, step.values...)
		shape.WriteString(" " + step.name)
	}
	known, ok := shapes.Load(shape.String())
	if !ok {
		known, _ = shapes.LoadOrStore(shape.String(), hotly(fuse(login != nil, steps)))
	}
	return known.(hot), values
}

var shapes sync.Map // hot by the names of its steps

func fuse(held bool, steps []step) string {
	condition := "true"
	var parts []string
	if held {
		parts = append(parts, "held AS (SELECT 1 FROM logins WHERE id = ? AND version = ? FOR UPDATE)")
		condition = "EXISTS (SELECT 1 FROM held)"
	}
	last := len(steps) - 1
	for _, step := range steps[:last] {
		parts = append(parts, step.name+" AS ("+step.sql.on(condition)+" RETURNING 1)")
		if step.mandatory {
			condition = "EXISTS (SELECT 1 FROM " + step.name + ")"
		}
	}
	sql := steps[last].sql.on(condition)
	if len(parts) > 0 {
		sql = "WITH " + strings.Join(parts, ", ") + " " + sql
	}
	return sql
}

var (
	insertSession = conditionally("INSERT INTO sessions (" + sessionColumns.names() + ") SELECT " + sessionColumns.marks() + " WHERE {if}")
	insertGrant   = conditionally("INSERT INTO grants (" + grantColumns.names() + ") SELECT " + grantColumns.marks() + " WHERE {if}")
	answerLogin   = conditionally("UPDATE logins SET version = ?, state = ?, facts = NULL, card = NULL, sign_card = NULL " +
		"WHERE id = ? AND version = ? AND {if}")
	touchSession = conditionally("UPDATE sessions SET seen_at = ? WHERE id = ? AND account_id = ? AND expires_at > ? AND {if}")
	// The first subject stays for ever. One that another account has in the sector is no conflict to pass over but an error.
	insertSubject = conditionally("INSERT INTO subjects (account_id, sector, subject, created_at) SELECT ?, ?, ?, ? WHERE {if} " +
		"ON CONFLICT (account_id, sector) DO NOTHING")
	replaceConsent = conditionally("INSERT INTO consents (account_id, client_id, items, texts, given_at) SELECT ?, ?, ?, ?, ? WHERE {if} " +
		"ON CONFLICT (account_id, client_id) DO UPDATE SET items = excluded.items, texts = excluded.texts, given_at = excluded.given_at")
)

// approval lists the writes in the order in which rows are locked everywhere: login, ledger, session, then the rest.
func (s *Store) approval(a storage.Approval) ([]step, error) {
	var steps []step
	g, now := a.Grant, instant{a.Grant.CreatedAt}
	if a.Told != nil { // first: losing a race for the ledger must leave nothing behind
		told, err := s.noting(g.AccountID, *a.Told)
		if err != nil {
			return nil, err
		}
		steps = append(steps, told)
	}
	if a.Spend != nil && a.Session != nil { // before anything that a second use must not leave behind
		steps = append(steps, spending(*a.Spend))
	}
	switch {
	case a.Session != nil:
		row, err := s.toSessionRow(*a.Session)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{"opened", insertSession, sessionColumns.fields(row), true})
	case g.SessionID != "":
		steps = append(steps, step{"touched", touchSession, []any{now, g.SessionID, g.AccountID, now}, true})
	}
	if a.Spend != nil && a.Session == nil { // after the one step that may fail
		steps = append(steps, spending(*a.Spend))
	}
	if a.Login != nil {
		l := a.Login
		steps = append(steps, step{"answered", answerLogin, []any{l.Version, string(l.State), l.ID, l.Version - 1}, true})
	}
	if a.Sector != "" {
		steps = append(steps, step{"named", insertSubject, []any{g.AccountID, a.Sector, g.Subject, now}, false})
	}
	if a.Items != nil {
		steps = append(steps, step{"consented", replaceConsent, []any{g.AccountID, g.ClientID, document[[]string]{a.Items}, a.Texts, now}, false})
	}
	if a.Release != nil {
		released, err := s.releasing(*a.Release)
		if err != nil {
			return nil, err
		}
		steps = append(steps, released)
	}
	if a.Memory != nil {
		remembering, err := s.remembering(g.AccountID, *a.Memory)
		if err != nil {
			return nil, err
		}
		steps = append(steps, remembering...)
	}
	if g.ID == "" {
		return steps, nil
	}
	row, err := s.toGrantRow(g)
	if err != nil {
		return nil, err
	}
	return append(steps, step{"granted", insertGrant, grantColumns.fields(row), true}), nil
}
