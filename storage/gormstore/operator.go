package gormstore

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tegata/storage"
)

type anchorRow struct {
	Fingerprint blob `gorm:"primaryKey"`
	Purpose     string
	Certificate blob
	Name        string
	Test        bool
	AddedAt     instant
}

// TableName implements gorm's Tabler.
func (anchorRow) TableName() string { return "anchors" }

// PutAnchor implements storage.Store.
func (s *Store) PutAnchor(ctx context.Context, a storage.Anchor) error {
	row := anchorRow{a.Fingerprint, a.Purpose, a.Certificate, a.Name, a.Test, instant{a.AddedAt}}
	return s.put(ctx, &row)
}

// Anchors implements storage.Store.
func (s *Store) Anchors(ctx context.Context) ([]storage.Anchor, error) {
	var rows []anchorRow
	if err := s.read.WithContext(ctx).Order("purpose, added_at, fingerprint").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	anchors := make([]storage.Anchor, len(rows))
	for i, r := range rows {
		anchors[i] = storage.Anchor{Fingerprint: r.Fingerprint, Purpose: r.Purpose, Certificate: r.Certificate, Name: r.Name, Test: r.Test, AddedAt: r.AddedAt.Time}
	}
	return anchors, nil
}

// DeleteAnchor implements storage.Store.
func (s *Store) DeleteAnchor(ctx context.Context, fingerprint []byte) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		done := db.Exec("DELETE FROM anchors WHERE fingerprint = ?", blob(fingerprint))
		if done.Error == nil && done.RowsAffected == 0 {
			return storage.ErrNotFound
		}
		return done.Error
	})
}

type settingRow struct {
	Name      string `gorm:"primaryKey"`
	Value     string
	ChangedAt instant
}

// TableName implements gorm's Tabler.
func (settingRow) TableName() string { return "settings" }

// PutSetting implements storage.Store.
func (s *Store) PutSetting(ctx context.Context, set storage.Setting) error {
	return s.put(ctx, &settingRow{set.Name, set.Value, instant{set.ChangedAt}})
}

// DeleteSetting implements storage.Store. Deleting what is not there is no error.
func (s *Store) DeleteSetting(ctx context.Context, name string) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Exec("DELETE FROM settings WHERE name = ?", name).Error })
}

// Settings implements storage.Store.
func (s *Store) Settings(ctx context.Context) ([]storage.Setting, error) {
	var rows []settingRow
	if err := s.read.WithContext(ctx).Order("name").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	settings := make([]storage.Setting, len(rows))
	for i, r := range rows {
		settings[i] = storage.Setting{Name: r.Name, Value: r.Value, ChangedAt: r.ChangedAt.Time}
	}
	return settings, nil
}

type feeRow struct {
	Month    string `gorm:"primaryKey"`
	ClientID string `gorm:"primaryKey"`
	Purpose  string `gorm:"primaryKey"`
	UnitYen  int64  `gorm:"primaryKey;autoIncrement:false"`
	Queries  int64
}

// TableName implements gorm's Tabler.
func (feeRow) TableName() string { return "fees" }

// AddFees implements storage.Store.
func (s *Store) AddFees(ctx context.Context, fees []storage.Fee) error {
	if len(fees) == 0 {
		return nil
	}
	rows := make([]feeRow, len(fees))
	for i, f := range fees {
		rows[i] = feeRow(f)
	}
	add := clause.OnConflict{
		Columns:   []clause.Column{{Name: "month"}, {Name: "client_id"}, {Name: "purpose"}, {Name: "unit_yen"}},
		DoUpdates: clause.Set{{Column: clause.Column{Name: "queries"}, Value: gorm.Expr("fees.queries + excluded.queries")}},
	}
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Clauses(add).Create(&rows).Error })
}

// Fees implements storage.Store.
func (s *Store) Fees(ctx context.Context, month string) ([]storage.Fee, error) {
	var rows []feeRow
	if err := s.read.WithContext(ctx).Where("month = ?", month).Order("client_id, purpose, unit_yen").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	fees := make([]storage.Fee, len(rows))
	for i, r := range rows {
		fees[i] = storage.Fee(r)
	}
	return fees, nil
}

type incidentRow struct {
	ID       string `gorm:"primaryKey;column:incident"`
	At       instant
	Event    string
	Code     string
	ClientID string
}

// TableName implements gorm's Tabler.
func (incidentRow) TableName() string { return "audit" }

// AddIncidents implements storage.Store.
func (s *Store) AddIncidents(ctx context.Context, incidents []storage.Incident) error {
	if len(incidents) == 0 {
		return nil
	}
	rows := make([]incidentRow, len(incidents))
	for i, in := range incidents {
		rows[i] = incidentRow{in.ID, instant{in.At}, in.Event, in.Code, in.ClientID}
	}
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
	})
}

// Incident implements storage.Store.
func (s *Store) Incident(ctx context.Context, id string) (storage.Incident, error) {
	var row incidentRow
	err := s.read.WithContext(ctx).Take(&row, "incident = ?", id).Error
	if sqlState(err) == notInRepertoire {
		return storage.Incident{}, storage.ErrNotFound
	}
	return storage.Incident{ID: row.ID, At: row.At.Time, Event: row.Event, Code: row.Code, ClientID: row.ClientID}, failure(ctx, err)
}

// put creates or replaces one row.
func (s *Store) put(ctx context.Context, row any) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(row).Error
	})
}
