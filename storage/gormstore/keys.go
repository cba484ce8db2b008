package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"tegata/storage"
)

type keyRow struct {
	ID         string `gorm:"primaryKey"`
	Alg        string
	Private    blob
	CreatedAt  instant
	ActivateAt instant
	RetireAt   instant
}

// TableName implements gorm's Tabler.
func (keyRow) TableName() string { return "signing_keys" }

// SigningKeys implements storage.Store.
func (s *Store) SigningKeys(ctx context.Context) ([]storage.SigningKey, error) {
	var rows []keyRow
	if err := s.read.WithContext(ctx).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	keys := make([]storage.SigningKey, len(rows))
	for i, r := range rows {
		private, err := s.opened(keyPrivate, r.ID, r.Private)
		if err != nil {
			return nil, err
		}
		keys[i] = storage.SigningKey{ID: r.ID, Alg: r.Alg, Private: private,
			CreatedAt: r.CreatedAt.Time, ActivateAt: r.ActivateAt.Time, RetireAt: r.RetireAt.Time}
	}
	return keys, nil
}

// ChangeSigningKeys implements storage.Store.
func (s *Store) ChangeSigningKeys(ctx context.Context, gone []string, put ...storage.SigningKey) error {
	rows := make([]keyRow, len(put))
	for i, k := range put {
		private, err := s.sealed(keyPrivate, k.ID, k.Private)
		if err != nil {
			return err
		}
		rows[i] = keyRow{k.ID, k.Alg, private, instant{k.CreatedAt}, instant{k.ActivateAt}, instant{k.RetireAt}}
	}
	return s.transaction(ctx, func(db *gorm.DB) error {
		if len(gone) > 0 {
			if err := db.Delete(&keyRow{}, gone).Error; err != nil {
				return err
			}
		}
		for _, row := range rows { // one by one: the end of the old key comes before the new one
			if err := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).Create(&row).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// Clock implements storage.Store. clock_timestamp goes on within a transaction; SQLite's clock is the machine's.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	sql := "SELECT clock_timestamp()"
	if !s.postgres {
		sql = "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
	}
	var now instant
	err := s.read.WithContext(ctx).Raw(sql).Row().Scan(&now)
	return now.Time, failure(ctx, err)
}

// keep is how long past its time a record stays: a login for its last page, a spent code so that its second use is noticed.
const keep = time.Hour

// keepIncidents is how long somebody may come back with an incident number (R26).
const keepIncidents = 400 * 24 * time.Hour

// Sweep implements storage.Store. The tables go one by one, so that nothing waits for a sweep of another table.
func (s *Store) Sweep(ctx context.Context, now time.Time) (int64, error) {
	var gone int64
	for _, sweep := range []struct {
		sql    string
		values []any
	}{
		{"DELETE FROM logins WHERE expires_at <= ?", []any{instant{now.Add(-keep)}}},
		{"DELETE FROM sessions WHERE expires_at <= ?", []any{instant{now}}},
		{"DELETE FROM grants WHERE redeemed_at IS NULL AND code_expires <= ? OR " + useless +
			" AND (sid = '' OR NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = grants.session_id))",
			[]any{instant{now}, instant{now.Add(-keep)}, instant{now}, instant{now}, instant{now}}},
		{"DELETE FROM audit WHERE at <= ?", []any{instant{now.Add(-keepIncidents)}}},
		{"DELETE FROM pushed WHERE expires_at <= ?", []any{instant{now}}},
		{"DELETE FROM spent WHERE until <= ?", []any{instant{now}}},
		{"DELETE FROM told WHERE expires_at <= ?", []any{instant{now}}},
		{forgetOld, []any{oldest(storage.KeepDays[0], now)}},
		{forgetOld + keptFor, []any{oldest(storage.KeepDays[1], now), storage.KeepDays[1]}},
		{forgetOld + keptFor, []any{oldest(storage.KeepDays[2], now), storage.KeepDays[2]}},
		{"DELETE FROM fact_keys WHERE until <= ?", []any{instant{now}}},
		{"DELETE FROM remembered WHERE until <= ?", []any{instant{now}}},
		{"DELETE FROM hints WHERE until <= ?", []any{instant{now}}},
		{forgetLatest, []any{instant{now}}},
		{"DELETE FROM outbox WHERE give_up <= ?", []any{instant{now.Add(-keep)}}}, // who sends has noticed by then
	} {
		err := s.atomically(ctx, func(db *gorm.DB) error {
			done := db.Exec(sweep.sql, sweep.values...)
			gone += done.RowsAffected
			return done.Error
		})
		if err != nil {
			return gone, err
		}
	}
	return gone, s.strip(ctx, now)
}

// useless are grants whose tokens are over.
const useless = "redeemed_at <= ? AND access_expires <= ? AND (refresh_hash IS NULL OR refresh_expires <= ? OR refresh_until <= ?)"

// strip takes what is personal from grants that stay only so that their client hears of the end of the session.
func (s *Store) strip(ctx context.Context, now time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE grants SET id_token = NULL, user_info = NULL WHERE user_info IS NOT NULL AND "+useless,
			instant{now.Add(-keep)}, instant{now}, instant{now}, instant{now}).Error
	})
}
