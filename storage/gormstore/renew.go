package gormstore

import (
	"context"

	"gorm.io/gorm"

	"tegata/storage"
)

type linkConsentRow struct {
	LoginID   string
	GivenAt   instant
	AccountID string
	ClientID  string
	Wording   string
	TakenOver bool
}

// TableName implements gorm's Tabler.
func (linkConsentRow) TableName() string { return "link_consents" }

// PutLinkConsent implements storage.Store.
func (s *Store) PutLinkConsent(ctx context.Context, c storage.LinkConsent) error {
	row := linkConsentRow{c.LoginID, instant{c.GivenAt}, c.AccountID, c.ClientID, c.Wording, c.TakenOver}
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Create(&row).Error })
}

// LinkConsents implements storage.Store.
func (s *Store) LinkConsents(ctx context.Context, accountID string) ([]storage.LinkConsent, error) {
	var rows []linkConsentRow
	if err := s.read.WithContext(ctx).Where("account_id = ?", accountID).Order("given_at, login_id").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	out := make([]storage.LinkConsent, len(rows))
	for i, r := range rows {
		out[i] = storage.LinkConsent{LoginID: r.LoginID, GivenAt: r.GivenAt.Time, AccountID: r.AccountID, ClientID: r.ClientID, Wording: r.Wording, TakenOver: r.TakenOver}
	}
	return out, nil
}

var predecessors = "SELECT " + credentialColumns.of("c") + " FROM credentials c WHERE c.replaced_at IS NULL " +
	"AND c.account_id IN (SELECT account_id FROM credentials WHERE cert_index IN ?) " +
	"AND EXISTS (SELECT 1 FROM subjects s WHERE s.account_id = c.account_id) ORDER BY c.cert_index "

// Predecessors implements storage.Store.
func (s *Store) Predecessors(ctx context.Context, indexes [][]byte) ([]storage.Credential, error) {
	rows, err := findPredecessors(s.read.WithContext(ctx), indexes, "")
	if err != nil {
		return nil, failure(ctx, err)
	}
	return s.credentials(rows)
}

func findPredecessors(db *gorm.DB, indexes [][]byte, lock string) ([]credentialRow, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	var rows []credentialRow
	err := db.Raw(predecessors+lock, indexes).Find(&rows).Error
	return rows, err
}

// Renew implements storage.Store. It is a transaction, because what it decides on is only sure once its rows are locked:
// logins first, then cards, as everywhere.
func (s *Store) Renew(ctx context.Context, r storage.Renewal) error {
	to := r.Login
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if s.postgres { // in one order, or tabs that race for the renewal wait for one another in a circle
			if err := tx.Exec("SELECT 1 FROM logins WHERE account_id = ? ORDER BY id FOR UPDATE", r.From).Error; err != nil {
				return err
			}
		}
		move := tx.Exec("UPDATE logins SET account_id = ?, version = ? WHERE id = ? AND version = ?", to.AccountID, to.Version, to.ID, to.Version-1)
		if err := swapped(changed(move)); err != nil {
			return err
		}
		// Other tabs of the same person go along; whoever moves one of them with an old copy decides again.
		others := "UPDATE logins SET account_id = ?, version = version + 1 WHERE account_id = ? AND id <> ? AND state IN ('verified', 'returned')"
		if err := tx.Exec(others, to.AccountID, r.From, to.ID).Error; err != nil {
			return err
		}
		if err := s.renewable(tx, r); err != nil {
			return err
		}
		if err := s.mergeTold(ctx, tx, r); err != nil {
			return err
		}
		return moveAccount(tx, r)
	})
}

// renewable looks again at everything that the caller decided on, and locks it.
func (s *Store) renewable(tx *gorm.DB, r storage.Renewal) error {
	lock := ""
	if s.postgres {
		lock = "FOR UPDATE OF c"
	}
	rows, err := findPredecessors(tx, r.Previous, lock)
	if err != nil {
		return err
	}
	cards := make([]storage.Credential, len(rows))
	for i, row := range rows {
		cards[i] = storage.Credential{Index: row.CertIndex, AccountID: row.AccountID}
	}
	if account, ok := storage.Earlier(cards, r.Previous); !ok || account != r.Login.AccountID {
		return storage.ErrStale
	}
	// A card that moved meanwhile, or an account that somebody knows by now, stays where it is.
	return swapped(changed(tx.Exec("UPDATE credentials SET account_id = ? WHERE cert_index = ? AND account_id = ? AND replaced_at IS NULL "+
		"AND NOT EXISTS (SELECT 1 FROM subjects WHERE account_id = ?)", r.Login.AccountID, blob(r.Index), r.From, r.From)))
}

func moveAccount(tx *gorm.DB, r storage.Renewal) error {
	to := r.Login.AccountID
	for _, move := range []struct {
		sql    string
		values []any
	}{
		{"UPDATE credentials SET replaced_at = ? WHERE account_id = ? AND replaced_at IS NULL AND cert_index <> ?", []any{instant{r.At}, to, blob(r.Index)}},
		// Sessions and grants without a remembered subject: of logins at clients that know nobody twice.
		{"UPDATE sessions SET account_id = ? WHERE account_id = ?", []any{to, r.From}},
		{"UPDATE grants SET account_id = ? WHERE account_id = ?", []any{to, r.From}},
		{"UPDATE releases SET account_id = ? WHERE account_id = ?", []any{to, r.From}},
		// For how long she has her history kept: what she said last, with this card.
		{"DELETE FROM people WHERE account_id = ? AND EXISTS (SELECT 1 FROM people WHERE account_id = ?)", []any{to, r.From}},
		{"UPDATE people SET account_id = ? WHERE account_id = ?", []any{to, r.From}},
		// What is remembered came from cards before this one, or by one login of it: she is asked again.
		{"DELETE FROM fact_keys WHERE account_id IN (?, ?)", []any{to, r.From}},
		{"DELETE FROM remembered WHERE account_id IN (?, ?)", []any{to, r.From}},
		{"DELETE FROM hints WHERE account_id IN (?, ?)", []any{to, r.From}},
		{"UPDATE link_consents SET taken_over = ? WHERE login_id = ? AND given_at = ?", []any{true, r.Consent.LoginID, instant{r.Consent.GivenAt}}},
		{"UPDATE link_consents SET account_id = ? WHERE account_id = ?", []any{to, r.From}},
	} {
		if err := tx.Exec(move.sql, move.values...).Error; err != nil {
			return err
		}
	}
	return nil
}
