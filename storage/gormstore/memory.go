package gormstore

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
	"tegata/storage/seal"
)

var (
	insertKey = hotly("INSERT INTO fact_keys (account_id, fact_key, until) VALUES (?, ?, ?) " +
		"ON CONFLICT (account_id) DO UPDATE SET fact_key = excluded.fact_key, until = excluded.until")
	insertMemory = hotly("INSERT INTO remembered (account_id, acr, facts, until) VALUES (?, ?, ?, ?) " +
		"ON CONFLICT (account_id) DO UPDATE SET acr = excluded.acr, facts = excluded.facts, until = excluded.until")
	insertHint = hotly("INSERT INTO hints (hash, account_id, until) VALUES (?, ?, ?)")
)

const memory = "SELECT r.account_id, r.acr, r.facts, r.until, k.fact_key FROM remembered r JOIN fact_keys k ON k.account_id = r.account_id "

// remembering are the steps that write a memory, under a key that nothing was sealed with before: what was remembered
// until now is then as unreadable as if it had been forgotten.
func (s *Store) remembering(accountID string, m storage.Memory) ([]step, error) {
	own, until := seal.NewOwn(), instant{m.Until}
	key, err := s.sealed(factKey, accountID, own[:])
	if err != nil {
		return nil, err
	}
	facts, err := s.sealed(remembered, accountID, own.Seal(m.Facts, memoryContext(accountID)))
	return []step{
		{"keyed", insertKey, []any{accountID, key, until}, false},
		{"remembered_now", insertMemory, []any{accountID, m.ACR, facts, until}, false},
		{"hinted", insertHint, []any{blob(m.Hint), accountID, until}, false},
	}, err
}

func memoryContext(accountID string) []byte {
	return seal.Context(remembered.table, remembered.column, accountID)
}

type memoryRow struct {
	AccountID string
	ACR       string
	Facts     blob
	Until     instant
	FactKey   blob
}

// Hinted implements storage.Store.
func (s *Store) Hinted(ctx context.Context, hint []byte, now time.Time) (storage.Memory, error) {
	return s.memory(ctx, memory+"JOIN hints h ON h.account_id = r.account_id WHERE h.hash = ? AND h.until > ? AND r.until > ?",
		blob(hint), instant{now}, instant{now})
}

// Memory implements storage.Store.
func (s *Store) Memory(ctx context.Context, accountID string, now time.Time) (storage.Memory, error) {
	return s.memory(ctx, memory+"WHERE r.account_id = ? AND r.until > ?", accountID, instant{now})
}

func (s *Store) memory(ctx context.Context, sql string, values ...any) (storage.Memory, error) {
	rows := make([]memoryRow, 0, 1)
	if err := s.read.WithContext(ctx).Raw(sql, values...).Find(&rows).Error; err != nil {
		return storage.Memory{}, failure(ctx, err)
	}
	if len(rows) == 0 {
		return storage.Memory{}, storage.ErrNotFound
	}
	r := rows[0]
	key, err := s.opened(factKey, r.AccountID, r.FactKey)
	if err != nil {
		return storage.Memory{}, err
	}
	inner, err := s.opened(remembered, r.AccountID, r.Facts)
	if err != nil {
		return storage.Memory{}, err
	}
	var own seal.Own
	if len(key) != len(own) {
		return storage.Memory{}, fmt.Errorf("gormstore: %s: %w", factKey.table, seal.ErrOwn)
	}
	copy(own[:], key)
	facts, err := own.Open(inner, memoryContext(r.AccountID))
	if err != nil {
		return storage.Memory{}, fmt.Errorf("gormstore: %s: %w", remembered.table, err)
	}
	return storage.Memory{AccountID: r.AccountID, ACR: r.ACR, Facts: facts, Until: r.Until.Time}, nil
}

// Forget implements storage.Store.
func (s *Store) Forget(ctx context.Context, accountID string) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		for _, sql := range []string{
			"UPDATE sessions SET facts = NULL WHERE account_id = ?",
			"DELETE FROM fact_keys WHERE account_id = ?",
			"DELETE FROM remembered WHERE account_id = ?",
			"DELETE FROM hints WHERE account_id = ?",
		} {
			if err := tx.Exec(sql, accountID).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// ForgetHint implements storage.Store.
func (s *Store) ForgetHint(ctx context.Context, hint []byte) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Exec("DELETE FROM hints WHERE hash = ?", blob(hint)).Error })
}
