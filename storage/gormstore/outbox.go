package gormstore

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type deliveryRow struct {
	ID        string `gorm:"primaryKey"`
	Kind      string
	ClientID  string
	Body      blob
	Attempts  int
	CreatedAt instant
	NextTry   instant
	GiveUp    instant
}

// TableName implements gorm's Tabler.
func (deliveryRow) TableName() string { return "outbox" }

func (s *Store) toDeliveryRows(deliveries []storage.Delivery) ([]deliveryRow, error) {
	rows := make([]deliveryRow, len(deliveries))
	for i, d := range deliveries {
		body, err := s.sealed(deliveryBody, d.ID, d.Body)
		if err != nil {
			return nil, err
		}
		rows[i] = deliveryRow{ID: d.ID, Kind: d.Kind, ClientID: d.ClientID, Body: body, Attempts: d.Attempts,
			CreatedAt: instant{d.CreatedAt}, NextTry: instant{d.NextTry}, GiveUp: instant{d.GiveUp}}
	}
	return rows, nil
}

func (s *Store) delivery(r deliveryRow) (storage.Delivery, error) {
	body, err := s.opened(deliveryBody, r.ID, r.Body)
	return storage.Delivery{ID: r.ID, Kind: r.Kind, ClientID: r.ClientID, Body: body, Attempts: r.Attempts,
		CreatedAt: r.CreatedAt.Time, NextTry: r.NextTry.Time, GiveUp: r.GiveUp.Time}, err
}

// PutDeliveries implements storage.Store.
func (s *Store) PutDeliveries(ctx context.Context, deliveries []storage.Delivery) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return s.putDeliveries(db, deliveries) })
}

func (s *Store) putDeliveries(db *gorm.DB, deliveries []storage.Delivery) error {
	rows, err := s.toDeliveryRows(deliveries)
	if err != nil || len(rows) == 0 {
		return err
	}
	return db.Create(&rows).Error
}

// On PostgreSQL what another replica is just taking is passed over, not waited for; the array is made once, so that no
// more than n rows are taken. SQLite has one writer at a time.
var (
	deliveryColumns      = columnsOf(&deliveryRow{})
	dueDeliveries        = "SELECT id FROM outbox WHERE next_try <= ? ORDER BY next_try LIMIT ?"
	takeDeliveries       = "UPDATE outbox SET next_try = ?, attempts = attempts + 1 WHERE id "
	takeOnPostgres       = takeDeliveries + "= ANY (ARRAY(" + dueDeliveries + " FOR UPDATE SKIP LOCKED)) RETURNING " + deliveryColumns.names()
	takeOnSQLite         = takeDeliveries + "IN (" + dueDeliveries + ") RETURNING " + deliveryColumns.names()
	ofThisAttempt        = " WHERE id = ? AND attempts = ?"
	postponeThisDelivery = "UPDATE outbox SET next_try = ?" + ofThisAttempt
	dropThisDelivery     = "DELETE FROM outbox" + ofThisAttempt
)

// TakeDeliveries implements storage.Store.
func (s *Store) TakeDeliveries(ctx context.Context, now, until time.Time, n int) ([]storage.Delivery, error) {
	take := takeOnSQLite
	if s.postgres {
		take = takeOnPostgres
	}
	var rows []deliveryRow
	err := s.atomically(ctx, func(db *gorm.DB) error {
		rows = nil
		return db.Raw(take, instant{until}, instant{now}, n).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b deliveryRow) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	deliveries := make([]storage.Delivery, len(rows))
	for i, r := range rows {
		if deliveries[i], err = s.delivery(r); err != nil {
			return nil, err
		}
	}
	return deliveries, nil
}

// PostponeDelivery implements storage.Store.
func (s *Store) PostponeDelivery(ctx context.Context, d storage.Delivery, next time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return swapped(changed(db.Exec(postponeThisDelivery, instant{next}, d.ID, d.Attempts)))
	})
}

// DropDelivery implements storage.Store.
func (s *Store) DropDelivery(ctx context.Context, d storage.Delivery) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return swapped(changed(db.Exec(dropThisDelivery, d.ID, d.Attempts))) })
}
