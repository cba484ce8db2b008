package gormstore

import (
	"context"
	"encoding/hex"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type credentialRow struct {
	CertIndex  blob
	AccountID  string
	Card       blob
	SeenAt     instant
	AskedAt    instant
	ReplacedAt instant
}

var credentialColumns = columnsOf(&credentialRow{})

func (s *Store) credentials(rows []credentialRow) ([]storage.Credential, error) {
	out := make([]storage.Credential, len(rows))
	for i, r := range rows {
		card, err := s.opened(cardOf, hex.EncodeToString(r.CertIndex), r.Card)
		if err != nil {
			return nil, err
		}
		out[i] = storage.Credential{Index: r.CertIndex, AccountID: r.AccountID, Card: card, SeenAt: r.SeenAt.Time, AskedAt: r.AskedAt.Time, ReplacedAt: r.ReplacedAt.Time}
	}
	return out, nil
}

// Cards implements storage.Store.
func (s *Store) Cards(ctx context.Context, accountID string) ([]storage.Credential, error) {
	var rows []credentialRow
	err := s.read.WithContext(ctx).Raw("SELECT "+credentialColumns.names()+" FROM credentials "+
		"WHERE account_id = ? AND replaced_at IS NULL ORDER BY seen_at DESC, cert_index", accountID).Find(&rows).Error
	if err != nil {
		return nil, failure(ctx, err)
	}
	return s.credentials(rows)
}

// takeDue has a place for the lock by which PostgreSQL's replicas pass each other; SQLite has one writer.
const takeDue = "WITH due AS (SELECT c.cert_index FROM credentials c WHERE c.replaced_at IS NULL AND c.card IS NOT NULL " +
	"AND c.asked_at <= ? AND (c.asking_until IS NULL OR c.asking_until <= ?) AND (" +
	"EXISTS (SELECT 1 FROM sessions s WHERE s.account_id = c.account_id AND s.expires_at > ? AND s.seen_at > ?) OR " +
	"EXISTS (SELECT 1 FROM grants g WHERE g.account_id = c.account_id AND g.offline AND g.revoked_at IS NULL AND g.refresh_expires > ? AND g.refresh_until > ?)) " +
	"ORDER BY c.asked_at LIMIT ? "

var takenDue = ") UPDATE credentials SET asking_until = ? FROM due WHERE credentials.cert_index = due.cert_index RETURNING " + credentialColumns.of("credentials")

// TakeDue implements storage.Store.
func (s *Store) TakeDue(ctx context.Context, d storage.Due) ([]storage.Credential, error) {
	lock := ""
	if s.postgres {
		lock = "FOR UPDATE OF c SKIP LOCKED"
	}
	now := instant{d.Now}
	var rows []credentialRow
	err := s.atomically(ctx, func(db *gorm.DB) error {
		return db.Raw(takeDue+lock+takenDue, instant{d.AskedBefore}, now, now, instant{d.IdleSince}, now, now, d.Most, instant{d.Until}).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	return s.credentials(rows)
}

// NoteAsked implements storage.Store.
func (s *Store) NoteAsked(ctx context.Context, index []byte, at time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE credentials SET asked_at = ?, asking_until = NULL WHERE cert_index = ?", instant{at}, blob(index)).Error
	})
}

// RevokeAccount implements storage.Store.
func (s *Store) RevokeAccount(ctx context.Context, accountID string, now time.Time) error {
	return s.atomically(ctx, func(db *gorm.DB) error {
		return db.Exec("UPDATE grants SET revoked_at = ? WHERE account_id = ? AND revoked_at IS NULL", instant{now}, accountID).Error
	})
}
