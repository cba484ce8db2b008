package gormstore

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"tegata/storage"
)

// step is one of the writes of an approval. sql contains {if}, the place for the condition that all earlier
// mandatory steps have succeeded.
type step struct {
	name      string
	sql       string
	values    []any
	mandatory bool // changes exactly one row, or the whole approval is stale
}

// ApproveLogin implements storage.Store. A session that ended meanwhile makes the approval stale too: its person has
// logged out, and the answer must be decided again.
func (s *Store) ApproveLogin(ctx context.Context, a storage.Approval) error {
	steps, err := s.approval(a)
	if err != nil {
		return err
	}
	if s.postgres {
		sql, values := fused(a.Login, steps)
		return s.atomically(ctx, func(db *gorm.DB) error { return swapped(db.Exec(sql, values...)) })
	}
	return s.transaction(ctx, func(tx *gorm.DB) error { return oneByOne(tx, steps) })
}

// oneByOne runs the steps in a transaction, where an error undoes the earlier ones.
func oneByOne(tx *gorm.DB, steps []step) error {
	for _, step := range steps {
		done := tx.Exec(strings.Replace(step.sql, "{if}", "true", 1), step.values...)
		if done.Error != nil {
			return done.Error
		}
		if step.mandatory && done.RowsAffected == 0 {
			return storage.ErrStale
		}
	}
	return nil
}

// fused makes one statement of the steps, the last of which says by its row count whether all of them happened.
// Within one statement nothing can be undone, so the login is locked first, at its expected version: a lock that had to
// be waited for looks again. Then each mandatory step runs only if the one before it changed its row.
func fused(login *storage.Login, steps []step) (sql string, values []any) {
	condition := "true"
	var parts []string
	if login != nil {
		parts = append(parts, "held AS (SELECT 1 FROM logins WHERE id = ? AND version = ? FOR UPDATE)")
		values = append(values, login.ID, login.Version-1)
		condition = "EXISTS (SELECT 1 FROM held)"
	}
	last := len(steps) - 1
	for _, step := range steps[:last] {
		parts = append(parts, step.name+" AS ("+strings.Replace(step.sql, "{if}", condition, 1)+" RETURNING 1)")
		values = append(values, step.values...)
		if step.mandatory {
			condition = "EXISTS (SELECT 1 FROM " + step.name + ")"
		}
	}
	sql = strings.Replace(steps[last].sql, "{if}", condition, 1)
	if len(parts) > 0 {
		sql = "WITH " + strings.Join(parts, ", ") + " " + sql
	}
	return sql, append(values, steps[last].values...)
}

var (
	insertSession = "INSERT INTO sessions (" + sessionColumns.names() + ") SELECT " + sessionColumns.marks() + " WHERE {if}"
	insertGrant   = "INSERT INTO grants (" + grantColumns.names() + ") SELECT " + grantColumns.marks() + " WHERE {if}"
)

const (
	touchSession = "UPDATE sessions SET seen_at = ? WHERE id = ? AND account_id = ? AND expires_at > ? AND {if}"
	// The first subject stays for ever. One that another account has in the sector is no conflict to pass over but an error.
	insertSubject = "INSERT INTO subjects (account_id, sector, subject, created_at) SELECT ?, ?, ?, ? WHERE {if} " +
		"ON CONFLICT (account_id, sector) DO NOTHING"
	replaceConsent = "INSERT INTO consents (account_id, client_id, items, texts, given_at) SELECT ?, ?, ?, ?, ? WHERE {if} " +
		"ON CONFLICT (account_id, client_id) DO UPDATE SET items = excluded.items, texts = excluded.texts, given_at = excluded.given_at"
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
		steps = append(steps, step{"opened", insertSession, sessionColumns.values(row), true})
	case g.SessionID != "":
		steps = append(steps, step{"touched", touchSession, []any{now, g.SessionID, g.AccountID, now}, true})
	}
	if a.Spend != nil && a.Session == nil { // after the one step that may fail
		steps = append(steps, spending(*a.Spend))
	}
	if a.Login != nil {
		row, err := s.toLoginRow(*a.Login)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{"answered", swapLogin + " AND {if}", row.swapValues(), true})
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
	if g.ID == "" {
		return steps, nil
	}
	row, err := s.toGrantRow(g)
	if err != nil {
		return nil, err
	}
	return append(steps, step{"granted", insertGrant, grantColumns.values(row), true}), nil
}
