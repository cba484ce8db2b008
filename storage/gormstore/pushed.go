package gormstore

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type pushedRow struct {
	Hash      blob `gorm:"primaryKey"`
	ClientID  string
	Params    blob
	ExpiresAt instant
	Used      bool `gorm:"->"` // computed
}

// TableName implements gorm's Tabler.
func (pushedRow) TableName() string { return "pushed" }

// name is the row's id for the seal.
func (r pushedRow) name() string { return base64.RawURLEncoding.EncodeToString(r.Hash) }

// PushRequest implements storage.Store.
func (s *Store) PushRequest(ctx context.Context, p storage.Pushed) error {
	row := pushedRow{Hash: p.Hash, ClientID: p.ClientID, ExpiresAt: instant{p.ExpiresAt}}
	var err error
	if row.Params, err = s.sealed(pushedParams, row.name(), p.Params); err != nil {
		return err
	}
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Create(&row).Error })
}

const findPushed = "SELECT hash, client_id, params, expires_at, EXISTS (SELECT 1 FROM spent WHERE spent.hash = pushed.hash) AS used " +
	"FROM pushed WHERE hash = ? AND expires_at > ?"

// PushedRequest implements storage.Store.
func (s *Store) PushedRequest(ctx context.Context, hash []byte, now time.Time) (storage.Pushed, error) {
	rows := make([]pushedRow, 0, 1)
	err := s.read.WithContext(ctx).Raw(findPushed, blob(hash), instant{now}).Find(&rows).Error
	switch {
	case err != nil:
		return storage.Pushed{}, failure(ctx, err)
	case len(rows) == 0:
		return storage.Pushed{}, storage.ErrNotFound
	case rows[0].Used:
		return storage.Pushed{}, storage.ErrSpent
	}
	r := rows[0]
	params, err := s.opened(pushedParams, r.name(), r.Params)
	if err != nil {
		return storage.Pushed{}, err
	}
	return storage.Pushed{Hash: r.Hash, ClientID: r.ClientID, Params: params, ExpiresAt: r.ExpiresAt.Time}, nil
}

// insertSpent changes a row for the first of any number of racing users, and none for the others.
var insertSpent = hotly("INSERT INTO spent (hash, until) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING")

func spending(s storage.Spent) step {
	return step{"spent_now", insertSpent, []any{blob(s.Hash), instant{s.Until}}, true}
}

// Spend implements storage.Store.
func (s *Store) Spend(ctx context.Context, spent storage.Spent) error {
	once := spending(spent)
	err := swapped(s.change(ctx, once.sql, once.values))
	if errors.Is(err, storage.ErrStale) {
		return storage.ErrSpent
	}
	return err
}
