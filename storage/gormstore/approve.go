package gormstore

import (
	"context"
	"strings"
	"sync"

	"tegata/storage"
)

// step is one of the writes of an approval.
type step struct {
	name     string
	sql      hot
	values   []any
	fallible bool // may change no row, and then the whole approval is stale
}

// ApproveLogin implements storage.Store. A session that ended meanwhile makes the approval stale too: its person has
// logged out, and the answer must be decided again.
func (s *Store) ApproveLogin(ctx context.Context, a storage.Approval) error {
	steps, err := s.approval(a)
	if err != nil {
		return err
	}
	if s.postgres {
		sql, values := fused(steps)
		_, err := s.change(ctx, sql, values)
		if sqlState(err) == divisionByZero {
			return storage.ErrStale
		}
		return err
	}
	return s.together(ctx, func(ask asker) error { return oneByOne(ask, steps) })
}

// oneByOne runs the steps in a transaction, where an error undoes the earlier ones.
func oneByOne(ask asker, steps []step) error {
	for _, step := range steps {
		changed, err := ask(step.sql, step.values)
		if err != nil {
			return err
		}
		if step.fallible && changed == 0 {
			return storage.ErrStale
		}
	}
	return nil
}

// fused makes one statement of the steps. Those that may fail happen first, in their order, each if the one before it
// changed its row. One that did not makes the statement divide by zero, which is how a statement undoes what it has done.
func fused(steps []step) (sql hot, values []any) {
	var shape strings.Builder // which steps there are decides the text, and there are few shapes
	for _, step := range steps {
		values = append(values, step.values...)
		shape.WriteString(" " + step.name)
	}
	known, ok := shapes.Load(shape.String())
	if !ok {
		known, _ = shapes.LoadOrStore(shape.String(), hotly(fuse(steps)))
	}
	return known.(hot), values
}

var shapes sync.Map // hot by the names of its steps

func fuse(steps []step) string {
	conditions := []string{"true"}
	var parts []string
	for _, step := range steps {
		part := step.name + " AS (" + step.sql.sqlite
		if step.fallible {
			part += " RETURNING 1"
			conditions = append(conditions, "EXISTS (SELECT FROM "+step.name+")")
		}
		parts = append(parts, part+")")
	}
	return "WITH " + strings.Join(parts, ", ") + " SELECT 1 / (" + strings.Join(conditions, " AND ") + ")::int"
}

var (
	insertSession = hotly("INSERT INTO sessions (" + sessionColumns.names() + ") VALUES (" + sessionColumns.marks() + ")")
	insertGrant   = hotly("INSERT INTO grants (" + grantColumns.names() + ") VALUES (" + grantColumns.marks() + ")")
	answerLogin   = hotly("UPDATE logins SET version = ?, state = ?, progress = ?, failure = ?, facts = NULL, card = NULL, sign_card = NULL " +
		"WHERE id = ? AND version = ?")
	touchSession = hotly("UPDATE sessions SET seen_at = ? WHERE id = ? AND account_id = ? AND expires_at > ?")
	// The first subject stays for ever. One that another account has in the sector is no conflict to pass over but an error.
	insertSubject = hotly("INSERT INTO subjects (account_id, sector, subject, created_at) VALUES (?, ?, ?, ?) " +
		"ON CONFLICT (account_id, sector) DO NOTHING")
	replaceConsent = hotly("INSERT INTO consents (account_id, client_id, items, texts, given_at) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT (account_id, client_id) DO UPDATE SET items = excluded.items, texts = excluded.texts, given_at = excluded.given_at")
)

// approval lists the writes in the order in which rows are locked everywhere: login, ledger, session, then the rest.
func (s *Store) approval(a storage.Approval) ([]step, error) {
	var steps []step
	g, now := a.Grant, instant{a.Grant.CreatedAt}
	if a.Login != nil {
		l := a.Login
		steps = append(steps, step{"answered", answerLogin, []any{l.Version, string(l.State), l.Progress, l.Failure, l.ID, l.Version - 1}, true})
	}
	if a.Told != nil {
		told, err := s.noting(g.AccountID, *a.Told)
		if err != nil {
			return nil, err
		}
		steps = append(steps, told)
	}
	switch {
	case a.Session != nil:
		row, err := s.toSessionRow(*a.Session)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{"opened", insertSession, sessionColumns.fields(row), false})
	case g.SessionID != "":
		steps = append(steps, step{"touched", touchSession, []any{now, g.SessionID, g.AccountID, now}, true})
	}
	if a.Spend != nil {
		steps = append(steps, spending(*a.Spend))
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
	return append(steps, step{"granted", insertGrant, grantColumns.fields(row), false}), nil
}
