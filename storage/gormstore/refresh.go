package gormstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

var rotateRefresh = hotly("UPDATE grants SET access_hash = ?, access_expires = ?, refresh_hash = ?, refresh_expires = ?, access_scopes = ? " +
	"WHERE refresh_family = ? AND refresh_hash = ? AND client_id = ? AND revoked_at IS NULL " +
	"AND refresh_expires > ? AND refresh_until > ? AND (certificate IS NULL OR certificate = ?) " +
	"AND (dpop_key IS NULL OR dpop_key = ?) RETURNING " + grantColumns.names())

// rebindRefresh binds the next tokens to what their holder shows now, of the kind that they were bound to before.
var rebindRefresh = hotly("UPDATE grants SET access_hash = ?, access_expires = ?, refresh_hash = ?, refresh_expires = ?, access_scopes = ?, certificate = ?, dpop_key = ? " +
	"WHERE refresh_family = ? AND refresh_hash = ? AND client_id = ? AND revoked_at IS NULL " +
	"AND refresh_expires > ? AND refresh_until > ? AND (certificate IS NULL OR ?) AND (dpop_key IS NULL OR ?) RETURNING " + grantColumns.names())

// Refresh implements storage.Store.
func (s *Store) Refresh(ctx context.Context, family, refresh []byte, clientID string, now time.Time, i storage.Issue) (storage.Grant, error) {
	var row grantRow
	statement, values := rotateRefresh, []any{blob(i.Access), instant{i.AccessExpires}, blob(i.Refresh), instant{i.RefreshExpires},
		document[[]string]{i.Scopes}, blob(family), blob(refresh), clientID, instant{now}, instant{now}, blob(i.Certificate), blob(i.DPoPKey)}
	if i.Rebind {
		statement, values = rebindRefresh, []any{blob(i.Access), instant{i.AccessExpires}, blob(i.Refresh), instant{i.RefreshExpires},
			document[[]string]{i.Scopes}, blob(i.Certificate), blob(i.DPoPKey), blob(family), blob(refresh), clientID, instant{now}, instant{now}, i.Certificate != nil, i.DPoPKey != nil}
	}
	rows, err := s.change(ctx, statement, values, grantColumns.fields(&row)...)
	switch {
	case err != nil:
		return storage.Grant{}, err
	case rows == 0:
		return storage.Grant{}, s.refuseRefresh(ctx, family, refresh, clientID, now)
	}
	return s.grant(row)
}

var revokeSpentRefresh = hotly("UPDATE grants SET revoked_at = coalesce(revoked_at, ?) " +
	"WHERE refresh_family = ? AND client_id = ? AND refresh_hash <> ?")

// refuseRefresh revokes the family whose token was used before: the client and somebody else both had it (RFC 9700
// section 4.14.2). A token that is the family's last one has only come too late, or without its certificate or key.
func (s *Store) refuseRefresh(ctx context.Context, family, refresh []byte, clientID string, now time.Time) error {
	err := swapped(s.change(context.WithoutCancel(ctx), revokeSpentRefresh, []any{instant{now}, blob(family), clientID, blob(refresh)}))
	switch {
	case err == nil:
		return storage.ErrSpent
	case errors.Is(err, storage.ErrStale): // nothing to revoke
		return storage.ErrNotFound
	}
	return err
}

var familyScopes = hotly("SELECT scopes FROM grants WHERE refresh_family = ? AND client_id = ?")

// FamilyScopes implements storage.Store.
func (s *Store) FamilyScopes(ctx context.Context, family []byte, clientID string) ([]string, error) {
	var scopes document[[]string]
	rows, err := s.look(ctx, familyScopes, []any{blob(family), clientID}, &scopes)
	switch {
	case err != nil:
		return nil, err
	case rows == 0:
		return nil, storage.ErrNotFound
	}
	return scopes.V, nil
}

// RevokeFamily implements storage.Store.
func (s *Store) RevokeFamily(ctx context.Context, family []byte, clientID string, now time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE grants SET revoked_at = ? WHERE refresh_family = ? AND client_id = ? AND revoked_at IS NULL",
			instant{now}, blob(family), clientID).Error
	})
}
