package gormstore

import (
	"context"
	"crypto/rand"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tegata/storage"
)

type clientRow struct {
	ID        string `gorm:"primaryKey"`
	Metadata  document[storage.Client]
	Disabled  bool
	CreatedAt instant
	UpdatedAt instant
}

// TableName implements gorm's Tabler.
func (clientRow) TableName() string { return "clients" }

func toClientRow(c storage.Client) clientRow {
	return clientRow{c.ID, document[storage.Client]{c}, c.Disabled, instant{c.CreatedAt}, instant{c.UpdatedAt}}
}

func (r clientRow) client() storage.Client {
	c := r.Metadata.V
	c.ID, c.Disabled, c.CreatedAt, c.UpdatedAt = r.ID, r.Disabled, r.CreatedAt.Time, r.UpdatedAt.Time
	return c
}

// CreateClient implements storage.Store.
func (s *Store) CreateClient(ctx context.Context, c storage.Client) error {
	row := toClientRow(c)
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return markClients(tx, c.UpdatedAt)
	})
}

// markClients tells every replica, which look at the settings twice a second, that client records have changed.
func markClients(tx *gorm.DB, now time.Time) error {
	mark := settingRow{Name: storage.ClientsMark, Value: rand.Text(), ChangedAt: instant{now}}
	return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&mark).Error
}

// PutClient implements storage.Store. Everything is replaced, CreatedAt too.
func (s *Store) PutClient(ctx context.Context, c storage.Client) error {
	row := toClientRow(c)
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err
		}
		return markClients(tx, c.UpdatedAt)
	})
}

var (
	clientColumns = columnsOf(&clientRow{})
	findClient    = hotly("SELECT " + clientColumns.names() + " FROM clients WHERE id = ?")
)

// Client implements storage.Store.
func (s *Store) Client(ctx context.Context, id string) (storage.Client, error) {
	var row clientRow
	err := s.byID(ctx, findClient, id, clientColumns.fields(&row))
	return row.client(), err
}

// Clients implements storage.Store.
func (s *Store) Clients(ctx context.Context) ([]storage.Client, error) {
	var rows []clientRow
	if err := s.read.WithContext(ctx).Order("id").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	clients := make([]storage.Client, len(rows))
	for i, row := range rows {
		clients[i] = row.client()
	}
	return clients, nil
}

// DisableClient implements storage.Store. ErrNotFound.
func (s *Store) DisableClient(ctx context.Context, id string, disabled bool, now time.Time) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		done := tx.Exec("UPDATE clients SET disabled = ?, updated_at = ? WHERE id = ?", disabled, instant{now}, id)
		switch {
		case done.Error != nil:
			return done.Error
		case done.RowsAffected == 0:
			return storage.ErrNotFound
		}
		if err := markClients(tx, now); err != nil || !disabled {
			return err
		}
		return tx.Exec("UPDATE grants SET revoked_at = ? WHERE client_id = ? AND revoked_at IS NULL", instant{now}, id).Error
	})
}

// byID reads one row by its primary key, which comes from a URL or a request.
func (s *Store) byID(ctx context.Context, find hot, id string, fields []any) error {
	rows, err := s.look(ctx, find, []any{id}, fields...)
	if sqlState(err) == notInRepertoire || err == nil && rows == 0 {
		return storage.ErrNotFound // PostgreSQL has no such text, so nobody has that id
	}
	return err
}
