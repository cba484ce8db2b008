package gormstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type grantRow struct {
	ID            string `gorm:"primaryKey"`
	ClientID      string
	AccountID     string
	SessionID     string
	Subject       string
	Scopes        document[[]string]
	Nonce         string
	RedirectURI   string
	CodeChallenge string
	AuthTime      instant
	ACR           string
	AMR           document[[]string]
	TellAuthTime  bool
	IDToken       blob
	UserInfo      blob
	CodeHash      blob
	CodeExpires   instant
	RedeemedAt    instant
	AccessHash    blob
	AccessExpires instant
	AccessScopes  document[[]string]
	Certificate   blob
	DPoPKey       blob `gorm:"column:dpop_key"`
	Offline       bool
	SID           string `gorm:"column:sid"`
	RevokedAt     instant
	CreatedAt     instant

	RefreshFamily  blob
	RefreshHash    blob
	RefreshExpires instant
	RefreshUntil   instant
}

// TableName implements gorm's Tabler.
func (grantRow) TableName() string { return "grants" }

var grantColumns = columnsOf(&grantRow{})

func (s *Store) toGrantRow(g storage.Grant) (*grantRow, error) {
	idToken, err := s.sealed(grantIDToken, g.ID, g.IDToken)
	if err != nil {
		return nil, err
	}
	userInfo, err := s.sealed(grantUserInfo, g.ID, g.UserInfo)
	return &grantRow{
		ID: g.ID, ClientID: g.ClientID, AccountID: g.AccountID, SessionID: g.SessionID, Subject: g.Subject,
		Scopes: document[[]string]{g.Scopes}, Nonce: g.Nonce, RedirectURI: g.RedirectURI, CodeChallenge: g.CodeChallenge,
		AuthTime: instant{g.AuthTime}, ACR: g.ACR, AMR: document[[]string]{g.AMR}, TellAuthTime: g.TellAuthTime,
		IDToken: idToken, UserInfo: userInfo, CodeHash: g.CodeHash, CodeExpires: instant{g.CodeExpires},
		RedeemedAt: instant{g.RedeemedAt}, AccessHash: g.AccessHash, AccessExpires: instant{g.AccessExpires}, AccessScopes: document[[]string]{g.AccessScopes},
		Certificate: g.Certificate, DPoPKey: g.DPoPKey, Offline: g.Offline, SID: g.SID, RevokedAt: instant{g.RevokedAt}, CreatedAt: instant{g.CreatedAt},
		RefreshFamily: g.RefreshFamily, RefreshHash: g.RefreshHash, RefreshExpires: instant{g.RefreshExpires}, RefreshUntil: instant{g.RefreshUntil},
	}, err
}

func (s *Store) grant(r grantRow) (storage.Grant, error) {
	idToken, err := s.opened(grantIDToken, r.ID, r.IDToken)
	if err != nil {
		return storage.Grant{}, err
	}
	userInfo, err := s.opened(grantUserInfo, r.ID, r.UserInfo)
	if err != nil {
		return storage.Grant{}, err
	}
	return storage.Grant{
		ID: r.ID, ClientID: r.ClientID, AccountID: r.AccountID, SessionID: r.SessionID, Subject: r.Subject,
		Scopes: r.Scopes.V, Nonce: r.Nonce, RedirectURI: r.RedirectURI, CodeChallenge: r.CodeChallenge,
		AuthTime: r.AuthTime.Time, ACR: r.ACR, AMR: r.AMR.V, TellAuthTime: r.TellAuthTime,
		IDToken: idToken, UserInfo: userInfo, CodeHash: r.CodeHash, CodeExpires: r.CodeExpires.Time,
		RedeemedAt: r.RedeemedAt.Time, AccessHash: r.AccessHash, AccessExpires: r.AccessExpires.Time, AccessScopes: r.AccessScopes.V,
		Certificate: r.Certificate, DPoPKey: r.DPoPKey, Offline: r.Offline, SID: r.SID, RevokedAt: r.RevokedAt.Time, CreatedAt: r.CreatedAt.Time,
		RefreshFamily: r.RefreshFamily, RefreshHash: r.RefreshHash, RefreshExpires: r.RefreshExpires.Time, RefreshUntil: r.RefreshUntil.Time,
	}, nil
}

// redeemCode names the old value beside each new one that only Offline grants keep: that is what gives it its type.
var redeemCode = hotly("UPDATE grants SET redeemed_at = ?, access_hash = ?, access_expires = ?, certificate = ?, dpop_key = coalesce(dpop_key, ?), " +
	"refresh_family = CASE WHEN offline THEN ? ELSE refresh_family END, refresh_hash = CASE WHEN offline THEN ? ELSE refresh_hash END, " +
	"refresh_expires = CASE WHEN offline THEN ? ELSE refresh_expires END, refresh_until = CASE WHEN offline THEN ? ELSE refresh_until END " +
	"WHERE code_hash = ? AND client_id = ? " +
	"AND redeemed_at IS NULL AND revoked_at IS NULL AND code_expires > ? RETURNING " + grantColumns.names())

// RedeemCode implements storage.Store.
func (s *Store) RedeemCode(ctx context.Context, codeHash []byte, clientID string, now time.Time, i storage.Issue) (storage.Grant, error) {
	var row grantRow
	rows, err := s.change(ctx, redeemCode, []any{instant{now}, blob(i.Access), instant{i.AccessExpires}, blob(i.Certificate), blob(i.DPoPKey),
		blob(i.RefreshFamily), blob(i.Refresh), instant{i.RefreshExpires}, instant{i.RefreshUntil},
		blob(codeHash), clientID, instant{now}}, grantColumns.fields(&row)...)
	switch {
	case err != nil:
		return storage.Grant{}, err
	case rows == 0:
		return storage.Grant{}, s.refuseCode(ctx, codeHash, clientID, now)
	}
	return s.grant(row)
}

var revokeSpentCode = hotly("UPDATE grants SET revoked_at = coalesce(revoked_at, ?) " +
	"WHERE code_hash = ? AND client_id = ? AND redeemed_at IS NOT NULL")

// refuseCode revokes the grant of a code that was used before (RFC 6749 4.1.2): one of the two users stole it. Another
// client's attempt proves nothing about the rightful one, and does nothing. Hanging up does not stop the revocation.
func (s *Store) refuseCode(ctx context.Context, codeHash []byte, clientID string, now time.Time) error {
	err := swapped(s.change(context.WithoutCancel(ctx), revokeSpentCode, []any{instant{now}, blob(codeHash), clientID}))
	switch {
	case err == nil:
		return storage.ErrSpent
	case errors.Is(err, storage.ErrStale): // nothing to revoke
		return storage.ErrNotFound
	}
	return err
}

// accessColumns are those of an access token: userinfo and introspection are asked more often than anything else.
var accessColumns = columnsOf(&grantRow{}, "nonce", "redirect_uri", "code_challenge", "auth_time", "acr", "amr", "tell_auth_time", "id_token",
	"code_expires", "redeemed_at", "revoked_at", "created_at", "refresh_family", "refresh_hash", "refresh_expires", "refresh_until")

var findGrant = hotly("SELECT " + accessColumns.names() + " FROM grants WHERE access_hash = ? AND access_expires > ? AND revoked_at IS NULL")

// GrantByAccess implements storage.Store.
func (s *Store) GrantByAccess(ctx context.Context, accessHash []byte, now time.Time) (storage.Grant, error) {
	var row grantRow
	rows, err := s.look(ctx, findGrant, []any{blob(accessHash), instant{now}}, accessColumns.fields(&row)...)
	switch {
	case err != nil:
		return storage.Grant{}, err
	case rows == 0:
		return storage.Grant{}, storage.ErrNotFound
	}
	return s.grant(row)
}

// RevokeGrant implements storage.Store.
func (s *Store) RevokeGrant(ctx context.Context, codeHash []byte, now time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE grants SET revoked_at = ? WHERE code_hash = ? AND revoked_at IS NULL", instant{now}, blob(codeHash)).Error
	})
}
