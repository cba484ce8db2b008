package gormstore

import (
	"context"
	"encoding/hex"

	"gorm.io/gorm"

	"tegata/storage"
)

// A credential is inserted, or the one with its index is marked as seen; a condition on the login goes between the two.
const (
	findCredential = "INSERT INTO credentials (cert_index, account_id, card, seen_at, asked_at) SELECT ?, ?, ?, ?, ? "
	seenAgain      = " ON CONFLICT (cert_index) DO UPDATE SET seen_at = excluded.seen_at, asked_at = excluded.asked_at, " +
		"card = coalesce(excluded.card, credentials.card) RETURNING account_id"
)

var (
	verifyColumns = columnsOf(&loginRow{}, "id", "account_id")

	// The login is locked before the credential is touched, so that a stale login writes nothing; a lock that had to be
	// waited for looks at the version again.
	verifyOnPostgres = hotly("WITH held AS (SELECT 1 FROM logins WHERE id = ? AND version = ? FOR UPDATE), owner AS (" +
		findCredential + "FROM held" + seenAgain + ") UPDATE logins SET " + verifyColumns.set() +
		", account_id = owner.account_id FROM owner WHERE logins.id = ? AND logins.version = ? RETURNING logins.account_id")

	credentialOnSQLite = hotly(findCredential + "WHERE EXISTS (SELECT 1 FROM logins WHERE id = ? AND version = ?)" + seenAgain)
)

// VerifyLogin implements storage.Store.
func (s *Store) VerifyLogin(ctx context.Context, next storage.Login, cred storage.Credential) (string, error) {
	row, err := s.toLoginRow(next)
	if err != nil {
		return "", err
	}
	card, err := s.sealed(cardOf, hex.EncodeToString(cred.Index), cred.Card)
	if err != nil {
		return "", err
	}
	credential := []any{blob(cred.Index), cred.AccountID, card, instant{cred.SeenAt}, instant{cred.SeenAt}} // a login asks
	if s.postgres {
		err = s.verifyInOne(ctx, row, credential)
	} else {
		err = s.transaction(ctx, func(tx *gorm.DB) error { return s.verifyInTwo(ctx, tx.Statement.ConnPool, row, credential) })
	}
	if err != nil {
		return "", err
	}
	return row.AccountID, nil
}

// verifyInOne sets row.AccountID to the owner of the credential.
func (s *Store) verifyInOne(ctx context.Context, row *loginRow, credential []any) error {
	values := append([]any{row.ID, row.Version - 1}, credential...)
	values = append(values, verifyColumns.fields(row, row.ID, row.Version-1)...)
	return swapped(s.change(ctx, verifyOnPostgres, values, &row.AccountID))
}

// verifyInTwo is verifyInOne for SQLite, whose transaction is alone from its first statement on.
func (s *Store) verifyInTwo(ctx context.Context, tx gorm.ConnPool, row *loginRow, credential []any) error {
	credential = append(credential, row.ID, row.Version-1)
	if err := swapped(s.run(ctx, tx, credentialOnSQLite, credential, &row.AccountID)); err != nil {
		return err
	}
	return swapped(s.run(ctx, tx, swapLogin, row.swapValues()))
}
