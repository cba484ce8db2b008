package gormstore

import (
	"context"
	"encoding/hex"
	"slices"

	"tegata/storage"
)

// A credential is inserted, or the one with its index is marked as seen; a condition on the login goes between the two.
const (
	findCredential = "INSERT INTO credentials (cert_index, account_id, card, seen_at, asked_at) SELECT ?, ?, ?, ?, ? "
	seenAgain      = " ON CONFLICT (cert_index) DO UPDATE SET seen_at = excluded.seen_at, asked_at = excluded.asked_at, " +
		"card = coalesce(excluded.card, credentials.card) RETURNING account_id"
)

var (
	// The login is locked before the credential is touched, so that a stale login writes nothing; a lock that had to be
	// waited for looks at the version again.
	verifyOnPostgres = changing{sql: func(changed loginColumns) hot {
		return hotly("WITH held AS (SELECT 1 FROM logins WHERE id = ? AND version = ? FOR UPDATE), owner AS (" +
			findCredential + "FROM held" + seenAgain + ") UPDATE logins SET " + changed.join(" = ?") +
			", account_id = owner.account_id FROM owner WHERE logins.id = ? AND logins.version = ? RETURNING logins.account_id")
	}}

	credentialOnSQLite = hotly(findCredential + "WHERE EXISTS (SELECT 1 FROM logins WHERE id = ? AND version = ?)" + seenAgain)
)

// VerifyLogin implements storage.Store.
func (s *Store) VerifyLogin(ctx context.Context, was, next storage.Login, cred storage.Credential) (string, error) {
	card, err := s.sealed(cardOf, hex.EncodeToString(cred.Index), cred.Card)
	if err != nil {
		return "", err
	}
	credential := []any{blob(cred.Index), cred.AccountID, card, instant{cred.SeenAt}, instant{cred.SeenAt}} // a login asks
	if s.postgres {
		return s.verifyInOne(ctx, &was, &next, credential)
	}
	var owner string
	err = s.together(ctx, func(ask asker) error {
		owner, err = s.verifyInTwo(ask, was, next, credential)
		return err
	})
	return owner, err
}

// verifyInOne returns the owner of the credential.
func (s *Store) verifyInOne(ctx context.Context, was, next *storage.Login, credential []any) (owner string, err error) {
	next.AccountID = was.AccountID // the statement sets it
	changed, values, err := s.swapValues(was, next)
	if err != nil {
		return "", err
	}
	values = slices.Concat([]any{was.ID, was.Version}, credential, values)
	return owner, swapped(s.change(ctx, verifyOnPostgres.statement(changed), values, &owner))
}

// verifyInTwo is verifyInOne for SQLite, whose transaction is alone from its first statement on.
func (s *Store) verifyInTwo(ask asker, was, next storage.Login, credential []any) (owner string, err error) {
	credential = append(credential, was.ID, was.Version)
	if err := swapped(ask(credentialOnSQLite, credential, &owner)); err != nil {
		return "", err
	}
	next.AccountID = owner
	changed, values, err := s.swapValues(&was, &next)
	if err != nil {
		return "", err
	}
	return owner, swapped(ask(swapping.statement(changed), values))
}
