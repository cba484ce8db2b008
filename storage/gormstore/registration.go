package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type initialTokenRow struct {
	Hash      blob `gorm:"primaryKey"`
	Name      string
	Uses      int64
	CreatedAt instant
	ExpiresAt instant
}

// TableName implements gorm's Tabler.
func (initialTokenRow) TableName() string { return "initial_tokens" }

func (r initialTokenRow) token() storage.InitialToken {
	return storage.InitialToken{Hash: r.Hash, Name: r.Name, Uses: r.Uses, CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time}
}

// CreateInitialToken implements storage.Store.
func (s *Store) CreateInitialToken(ctx context.Context, t storage.InitialToken) error {
	row := initialTokenRow{t.Hash, t.Name, t.Uses, instant{t.CreatedAt}, instant{t.ExpiresAt}}
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Create(&row).Error })
}

const admissible = "hash = ? AND uses > 0 AND expires_at > ?"

// InitialToken implements storage.Store.
func (s *Store) InitialToken(ctx context.Context, hash []byte, now time.Time) (storage.InitialToken, error) {
	var row initialTokenRow
	err := s.read.WithContext(ctx).Take(&row, admissible, blob(hash), instant{now}).Error
	return row.token(), failure(ctx, err)
}

// InitialTokens implements storage.Store.
func (s *Store) InitialTokens(ctx context.Context) ([]storage.InitialToken, error) {
	var rows []initialTokenRow
	if err := s.read.WithContext(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	tokens := make([]storage.InitialToken, len(rows))
	for i, row := range rows {
		tokens[i] = row.token()
	}
	return tokens, nil
}

// DeleteInitialToken implements storage.Store.
func (s *Store) DeleteInitialToken(ctx context.Context, name string) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return one(db.Exec("DELETE FROM initial_tokens WHERE name = ?", name)) })
}

// RegisterClient implements storage.Store. The use is taken first: its row lock makes racing registrations wait.
func (s *Store) RegisterClient(ctx context.Context, tokenHash []byte, c storage.Client, now time.Time) error {
	row := toClientRow(c)
	return s.transaction(ctx, func(tx *gorm.DB) error {
		err := one(tx.Exec("UPDATE initial_tokens SET uses = uses - 1 WHERE "+admissible, blob(tokenHash), instant{now}))
		if err != nil {
			return err
		}
		return tx.Create(&row).Error
	})
}

// UpdateClient implements storage.Store.
func (s *Store) UpdateClient(ctx context.Context, next storage.Client, was time.Time) error {
	row := toClientRow(next)
	return s.atomically(ctx, func(db *gorm.DB) error {
		return swapped(changed(db.Exec("UPDATE clients SET metadata = ?, updated_at = ? WHERE id = ? AND updated_at = ?",
			row.Metadata, row.UpdatedAt, row.ID, instant{was})))
	})
}

// DeleteClient implements storage.Store. Subjects stay: they are the sector's, which may have other clients.
func (s *Store) DeleteClient(ctx context.Context, id string, now time.Time) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := one(tx.Exec("DELETE FROM clients WHERE id = ?", id)); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM consents WHERE client_id = ?", id).Error; err != nil {
			return err
		}
		if err := tx.Exec("UPDATE grants SET revoked_at = ? WHERE client_id = ? AND revoked_at IS NULL", instant{now}, id).Error; err != nil {
			return err
		}
		return withdrawLatest(tx, now, "client_id = ?", id)
	})
}

// one is ErrNotFound when a statement found no row.
func one(done *gorm.DB) error {
	if done.Error == nil && done.RowsAffected == 0 {
		return storage.ErrNotFound
	}
	return done.Error
}
