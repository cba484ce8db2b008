package gormstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

var rotateRefresh = "UPDATE grants SET access_hash = ?, access_expires = ?, refresh_hash = ?, refresh_expires = ? " +
	"WHERE refresh_family = ? AND refresh_hash = ? AND client_id = ? AND revoked_at IS NULL " +
	"AND refresh_expires > ? AND refresh_until > ? AND (certificate IS NULL OR certificate = ?) " +
	"AND (dpop_key IS NULL OR dpop_key = ?) RETURNING " + grantColumns.names()

// Refresh implements storage.Store.
func (s *Store) Refresh(ctx context.Context, family, refresh []byte, clientID string, now time.Time, i storage.Issue) (storage.Grant, error) {
	rows := make([]grantRow, 0, 1)
	err := s.atomically(ctx, func(db *gorm.DB) error {
		return db.Raw(rotateRefresh, blob(i.Access), instant{i.AccessExpires}, blob(i.Refresh), instant{i.RefreshExpires},
			blob(family), blob(refresh), clientID, instant{now}, instant{now}, blob(i.Certificate), blob(i.DPoPKey)).Find(&rows).Error
	})
	switch {
	case err != nil:
		return storage.Grant{}, err
	case len(rows) == 0:
		return storage.Grant{}, s.refuseRefresh(ctx, family, refresh, clientID, now)
	}
	return s.grant(rows[0])
}

// refuseRefresh revokes the family whose token was used before: the client and somebody else both had it (RFC 9700
// section 4.14.2). A token that is the family's last one has only come too late, or without its certificate or key.
func (s *Store) refuseRefresh(ctx context.Context, family, refresh []byte, clientID string, now time.Time) error {
	err := s.atomically(context.WithoutCancel(ctx), func(db *gorm.DB) error {
		return swapped(db.Exec("UPDATE grants SET revoked_at = coalesce(revoked_at, ?) "+
			"WHERE refresh_family = ? AND client_id = ? AND refresh_hash <> ?", instant{now}, blob(family), clientID, blob(refresh)))
	})
	switch {
	case err == nil:
		return storage.ErrSpent
	case errors.Is(err, storage.ErrStale): // nothing to revoke
		return storage.ErrNotFound
	}
	return err
}

// RevokeFamily implements storage.Store.
func (s *Store) RevokeFamily(ctx context.Context, family []byte, clientID string, now time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE grants SET revoked_at = ? WHERE refresh_family = ? AND client_id = ? AND revoked_at IS NULL",
			instant{now}, blob(family), clientID).Error
	})
}
