package gormstore

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type latestRow struct {
	ID         string `gorm:"primaryKey"`
	AccountID  string
	ClientID   string
	Refused    bool
	Items      document[[]string]
	Texts      string
	Number     blob
	Sent       blob
	Registered bool
	GivenAt    instant
	ExpiresAt  instant
}

// TableName implements gorm's Tabler.
func (latestRow) TableName() string { return "latest_consents" }

func (s *Store) toLatestRow(c storage.LatestConsent) (*latestRow, error) {
	number, err1 := s.sealed(latestNumber, c.ID, c.Number)
	sent, err2 := s.sealed(latestSent, c.ID, c.Sent)
	items := c.Items
	if items == nil {
		items = []string{}
	}
	return &latestRow{
		ID: c.ID, AccountID: c.AccountID, ClientID: c.ClientID, Refused: c.Refused, Items: document[[]string]{items}, Texts: c.Texts, Number: number,
		Sent: sent, Registered: c.Registered, GivenAt: instant{c.GivenAt}, ExpiresAt: instant{c.ExpiresAt}}, errors.Join(err1, err2)
}

func (s *Store) latest(r latestRow) (storage.LatestConsent, error) {
	number, err1 := s.opened(latestNumber, r.ID, r.Number)
	sent, err2 := s.opened(latestSent, r.ID, r.Sent)
	c := storage.LatestConsent{
		ID: r.ID, AccountID: r.AccountID, ClientID: r.ClientID, Refused: r.Refused, Items: r.Items.V, Texts: r.Texts, Number: number, Sent: sent,
		Registered: r.Registered, GivenAt: r.GivenAt.Time, ExpiresAt: r.ExpiresAt.Time}
	if len(c.Items) == 0 {
		c.Items = nil
	}
	return c, errors.Join(err1, err2)
}

const (
	standing = "withdrawn_at IS NULL AND "
	agreedTo = standing + "NOT refused AND "

	// forgetLatest empties what nobody may ask with any more; that it was agreed to stays on record.
	forgetLatest = "UPDATE latest_consents SET number = NULL, sent = NULL WHERE expires_at <= ? AND number IS NOT NULL"
)

// endLatest has the authority forget the consents that stand, before their rows go.
func endLatest(tx *gorm.DB, which string, values ...any) error {
	return tx.Exec("INSERT INTO latest_ended (id) SELECT id FROM latest_consents WHERE "+agreedTo+which+" ON CONFLICT (id) DO NOTHING", values...).Error
}

// withdrawLatest ends the words that stand, a no too.
func withdrawLatest(tx *gorm.DB, now time.Time, which string, values ...any) error {
	if err := endLatest(tx, which, values...); err != nil {
		return err
	}
	return tx.Exec("UPDATE latest_consents SET withdrawn_at = ?, number = NULL, sent = NULL WHERE "+standing+which,
		append([]any{instant{now}}, values...)...).Error
}

// PutLatest implements storage.Latest.
func (s *Store) PutLatest(ctx context.Context, c storage.LatestConsent) error {
	row, err := s.toLatestRow(c)
	if err != nil {
		return err
	}
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := withdrawLatest(tx, c.GivenAt, "account_id = ? AND client_id = ?", c.AccountID, c.ClientID); err != nil {
			return err
		}
		return tx.Create(row).Error
	})
}

// latestWhere reads consents.
func (s *Store) latestWhere(ctx context.Context, which string, values ...any) ([]storage.LatestConsent, error) {
	var rows []latestRow
	err := s.read.WithContext(ctx).Raw("SELECT "+latestColumns.names()+" FROM latest_consents WHERE "+which, values...).Find(&rows).Error
	if err != nil {
		return nil, failure(ctx, err)
	}
	list := make([]storage.LatestConsent, len(rows))
	for i, r := range rows {
		if list[i], err = s.latest(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var latestColumns = columnsOf(&latestRow{})

func only(list []storage.LatestConsent, err error) (storage.LatestConsent, error) {
	if err != nil || len(list) == 0 {
		return storage.LatestConsent{}, cmp.Or(err, storage.ErrNotFound)
	}
	return list[0], nil
}

// StandingLatest implements storage.Latest.
func (s *Store) StandingLatest(ctx context.Context, accountID, clientID string) (storage.LatestConsent, error) {
	return only(s.latestWhere(ctx, standing+"account_id = ? AND client_id = ?", accountID, clientID))
}

// LatestConsents implements storage.Latest.
func (s *Store) LatestConsents(ctx context.Context, accountID string) ([]storage.LatestConsent, error) {
	return s.latestWhere(ctx, agreedTo+"account_id = ? ORDER BY client_id", accountID)
}

// LatestConsent implements storage.Latest.
func (s *Store) LatestConsent(ctx context.Context, id string, now time.Time) (storage.LatestConsent, error) {
	return only(s.latestWhere(ctx, agreedTo+"id = ? AND expires_at > ?", id, instant{now}))
}

// UnregisteredLatest implements storage.Latest.
func (s *Store) UnregisteredLatest(ctx context.Context, now time.Time, n int) ([]storage.LatestConsent, error) {
	return s.latestWhere(ctx, agreedTo+"NOT registered AND expires_at > ? ORDER BY given_at LIMIT ?", instant{now}, n)
}

// WithdrawLatest implements storage.Latest.
func (s *Store) WithdrawLatest(ctx context.Context, id, accountID string, now time.Time) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := one(tx.Exec("INSERT INTO latest_ended (id) SELECT id FROM latest_consents WHERE "+agreedTo+"id = ? AND account_id = ?", id, accountID)); err != nil {
			return err
		}
		return withdrawLatest(tx, now, "id = ? AND account_id = ?", id, accountID)
	})
}

// NoteLatest implements storage.Latest.
func (s *Store) NoteLatest(ctx context.Context, c storage.LatestConsent, now time.Time, d *storage.Delivery, r *storage.Release) error {
	sent, err := s.sealed(latestSent, c.ID, c.Sent)
	if err != nil {
		return err
	}
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := swapped(changed(tx.Exec("UPDATE latest_consents SET registered = ?, sent = ? WHERE "+agreedTo+"id = ? AND expires_at > ?",
			c.Registered, sent, c.ID, instant{now}))); err != nil {
			return err
		}
		if r != nil {
			writing, err := s.releasing(*r)
			if err != nil {
				return err
			}
			if err := oneByOne(s.within(ctx, tx), []step{writing}); err != nil {
				return err
			}
		}
		if d == nil {
			return nil
		}
		return s.putDeliveries(tx, []storage.Delivery{*d})
	})
}

// EndedLatest implements storage.Latest.
func (s *Store) EndedLatest(ctx context.Context, n int) ([]string, error) {
	ids := []string{}
	err := s.read.WithContext(ctx).Raw("SELECT id FROM latest_ended ORDER BY id LIMIT ?", n).Scan(&ids).Error
	return ids, failure(ctx, err)
}

// DropEndedLatest implements storage.Latest.
func (s *Store) DropEndedLatest(ctx context.Context, id string) error {
	return s.atomically(ctx, func(db *gorm.DB) error { return db.Exec("DELETE FROM latest_ended WHERE id = ?", id).Error })
}

const takeFeed = "INSERT INTO feeds (name, place, read_at, leased_until) VALUES (?, '', ?, ?) ON CONFLICT (name) DO UPDATE " +
	"SET leased_until = excluded.leased_until WHERE feeds.leased_until <= ? AND feeds.read_at <= ? RETURNING place"

// TakeFeed implements storage.Latest.
func (s *Store) TakeFeed(ctx context.Context, name string, now, before, until time.Time) (storage.Feed, error) {
	var places []string
	err := s.atomically(ctx, func(db *gorm.DB) error {
		places = nil
		return db.Raw(takeFeed, name, instant{before}, instant{until}, instant{now}, instant{before}).Scan(&places).Error
	})
	switch {
	case err != nil:
		return storage.Feed{}, err
	case len(places) == 0:
		return storage.Feed{}, storage.ErrNotFound
	}
	return storage.Feed{Name: name, Place: places[0], Until: until}, nil
}

// KeepFeed implements storage.Latest.
func (s *Store) KeepFeed(ctx context.Context, f storage.Feed, now time.Time, done bool) error {
	sql, values := "UPDATE feeds SET place = ?", []any{f.Place}
	if done {
		sql, values = sql+", read_at = ?, leased_until = ?", append(values, instant{now}, instant{now})
	}
	return s.atomically(ctx, func(db *gorm.DB) error {
		return swapped(changed(db.Exec(sql+" WHERE name = ? AND leased_until = ?", append(values, f.Name, instant{f.Until})...)))
	})
}
