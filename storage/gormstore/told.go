package gormstore

import (
	"context"

	"gorm.io/gorm"

	"tegata/storage"
)

type toldRow struct {
	Sector    string
	Version   int64
	Ledger    blob
	ExpiresAt instant
}

// Ledgers implements storage.Store.
func (s *Store) Ledgers(ctx context.Context, accountID string) ([]storage.Ledger, error) {
	var rows []toldRow
	err := s.read.WithContext(ctx).Raw("SELECT sector, version, ledger, expires_at FROM told WHERE account_id = ? ORDER BY sector", accountID).Find(&rows).Error
	if err != nil {
		return nil, failure(ctx, err)
	}
	out := make([]storage.Ledger, len(rows))
	for i, r := range rows {
		plain, err := s.opened(toldLedger, toldID(accountID, r.Sector, r.Version), r.Ledger)
		if err != nil {
			return nil, err
		}
		out[i] = storage.Ledger{Sector: r.Sector, Told: storage.Told{Version: r.Version, Ledger: plain, Expires: r.ExpiresAt.Time}}
	}
	return out, nil
}

// mergeTold moves what sectors were told of the account that goes. Its ledgers are sealed to its name, so the caller has
// opened and merged them; one that it has not seen makes the whole renewal stale.
func (s *Store) mergeTold(ctx context.Context, tx *gorm.DB, r storage.Renewal) error {
	for _, m := range r.Told {
		told, err := s.noting(r.Login.AccountID, m.Ledger)
		if err != nil {
			return err
		}
		gone := tx.Exec("DELETE FROM told WHERE account_id = ? AND sector = ? AND version = ?", r.From, m.Sector, m.Gone)
		if err := swapped(changed(gone)); err != nil {
			return err
		}
		if err := oneByOne(s.within(ctx, tx), []step{told}); err != nil {
			return err
		}
	}
	var left int64
	if err := tx.Raw("SELECT COUNT(*) FROM told WHERE account_id = ?", r.From).Scan(&left).Error; err != nil {
		return err
	}
	if left > 0 {
		return storage.ErrStale
	}
	return nil
}
