package gormstore

import (
	"context"
	"strconv"

	"tegata/storage"
)

// linkItself reads the link of (account, sector) and (account, client) as columns, wherever columns may stand. What the
// sector's owner has been told is one row of three values, which a subquery has to give as three columns.
const linkItself = "(SELECT subject FROM subjects WHERE account_id = ? AND sector = ?) AS subject, " +
	"(SELECT items FROM consents WHERE account_id = ? AND client_id = ?) AS items, " +
	"(SELECT texts FROM consents WHERE account_id = ? AND client_id = ?) AS texts, " +
	"(SELECT version FROM told WHERE account_id = ? AND sector = ?) AS told_version, " +
	"(SELECT ledger FROM told WHERE account_id = ? AND sector = ?) AS ledger, " +
	"NOT EXISTS (SELECT 1 FROM subjects WHERE account_id = ?) AS is_new"

var (
	noteTold = hotly("INSERT INTO told (account_id, sector, version, ledger, expires_at) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT (account_id, sector) DO UPDATE SET version = excluded.version, ledger = excluded.ledger, expires_at = excluded.expires_at " +
		"WHERE told.version = excluded.version - 1")

	returning = changing{sql: func(changed loginColumns) hot { return hotly(changed.swapText() + " RETURNING " + linkItself) }}
)

func linkValues(accountID, clientID string, sector storage.Sector) []any {
	return []any{accountID, sector.Subject, accountID, clientID, accountID, clientID, accountID, sector.Owner, accountID, sector.Owner, accountID}
}

type linkRow struct {
	Subject     *string
	Items       document[[]string]
	Texts       *string
	ToldVersion *int64
	Ledger      blob
	IsNew       bool
}

// toldID is the context that a ledger is sealed for: its version too, so that an older one cannot be put back under it.
func toldID(accountID, sector string, version int64) string {
	return accountID + " " + sector + " " + strconv.FormatInt(version, 10)
}

// link of an account with a sector and its owner.
func (s *Store) link(r linkRow, accountID string, sector storage.Sector) (storage.Link, error) {
	l := storage.Link{Items: r.Items.V, New: r.IsNew}
	if r.Subject != nil {
		l.Subject = *r.Subject
	}
	if r.Texts != nil {
		l.Texts = *r.Texts
	}
	if r.ToldVersion == nil {
		return l, nil
	}
	var err error
	l.Told.Version = *r.ToldVersion
	l.Told.Ledger, err = s.opened(toldLedger, toldID(accountID, sector.Owner, l.Told.Version), r.Ledger)
	return l, err
}

// noting is the step that writes what a sector is told.
func (s *Store) noting(accountID string, l storage.Ledger) (step, error) {
	sealed, err := s.sealed(toldLedger, toldID(accountID, l.Sector, l.Version), l.Ledger)
	return step{"told_now", noteTold, []any{accountID, l.Sector, l.Version, sealed, instant{l.Expires}}, true}, err
}

// Tell implements storage.Store.
func (s *Store) Tell(ctx context.Context, accountID string, l storage.Ledger) error {
	told, err := s.noting(accountID, l)
	if err != nil {
		return err
	}
	return swapped(s.change(ctx, told.sql, told.values))
}

// Link implements storage.Store.
func (s *Store) Link(ctx context.Context, accountID, clientID string, sector storage.Sector) (storage.Link, error) {
	rows := make([]linkRow, 0, 1)
	err := s.read.WithContext(ctx).Raw("SELECT "+linkItself, linkValues(accountID, clientID, sector)...).Find(&rows).Error
	if err != nil {
		return storage.Link{}, failure(ctx, err)
	}
	return s.link(rows[0], accountID, sector)
}

// ReturnLogin implements storage.Store.
func (s *Store) ReturnLogin(ctx context.Context, was, next storage.Login, sector storage.Sector) (storage.Link, error) {
	changed, values, err := s.swapValues(&was, &next)
	if err != nil {
		return storage.Link{}, err
	}
	values = append(values, linkValues(next.AccountID, next.ClientID, sector)...)
	var link linkRow
	err = swapped(s.change(ctx, returning.statement(changed), values, &link.Subject, &link.Items, &link.Texts, &link.ToldVersion, &link.Ledger, &link.IsNew))
	if err != nil {
		return storage.Link{}, err
	}
	return s.link(link, next.AccountID, sector)
}
