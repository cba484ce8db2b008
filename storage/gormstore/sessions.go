package gormstore

import (
	"context"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type sessionRow struct {
	ID        string `gorm:"primaryKey"`
	AccountID string
	AuthTime  instant
	ACR       string
	AMR       document[[]string]
	Facts     blob
	Browser   string
	CreatedAt instant
	SeenAt    instant
	ExpiresAt instant
}

// TableName implements gorm's Tabler.
func (sessionRow) TableName() string { return "sessions" }

var sessionColumns = columnsOf(&sessionRow{})

func (s *Store) toSessionRow(n storage.Session) (*sessionRow, error) {
	facts, err := s.sealed(sessionFacts, n.ID, n.Facts)
	return &sessionRow{
		ID: n.ID, AccountID: n.AccountID, AuthTime: instant{n.AuthTime}, ACR: n.ACR, AMR: document[[]string]{n.AMR},
		Facts: facts, Browser: n.Browser, CreatedAt: instant{n.CreatedAt}, SeenAt: instant{n.SeenAt}, ExpiresAt: instant{n.ExpiresAt},
	}, err
}

func (s *Store) session(r sessionRow) (storage.Session, error) {
	facts, err := s.opened(sessionFacts, r.ID, r.Facts)
	if err != nil {
		return storage.Session{}, err
	}
	return storage.Session{
		ID: r.ID, AccountID: r.AccountID, AuthTime: r.AuthTime.Time, ACR: r.ACR, AMR: r.AMR.V,
		Facts: facts, Browser: r.Browser, CreatedAt: r.CreatedAt.Time, SeenAt: r.SeenAt.Time, ExpiresAt: r.ExpiresAt.Time,
	}, nil
}

var sessionLink = hotly("SELECT " + sessionColumns.of("s") + ", l.subject, c.items, c.texts, t.version AS told_version, t.ledger FROM sessions s " +
	"LEFT JOIN subjects l ON l.account_id = s.account_id AND l.sector = ? " +
	"LEFT JOIN consents c ON c.account_id = s.account_id AND c.client_id = ? " +
	"LEFT JOIN told t ON t.account_id = s.account_id AND t.sector = ? " +
	"WHERE s.id = ? AND s.expires_at > ? AND s.seen_at > ?")

// SessionLink implements storage.Store.
func (s *Store) SessionLink(ctx context.Context, id, clientID string, sector storage.Sector, now, idleSince time.Time) (storage.Session, storage.Link, error) {
	if idleSince.IsZero() {
		idleSince = time.Unix(0, 0) // an instant of zero is NULL, which nothing is after
	}
	var of sessionRow
	var with linkRow
	rows, err := s.look(ctx, sessionLink, []any{sector.Subject, clientID, sector.Owner, id, instant{now}, instant{idleSince}},
		sessionColumns.fields(&of, &with.Subject, &with.Items, &with.Texts, &with.ToldVersion, &with.Ledger)...)
	switch {
	case err != nil:
		return storage.Session{}, storage.Link{}, err
	case rows == 0:
		return storage.Session{}, storage.Link{}, storage.ErrNotFound
	}
	session, err := s.session(of)
	if err != nil {
		return storage.Session{}, storage.Link{}, err
	}
	link, err := s.link(with, session.AccountID, sector)
	return session, link, err
}

// Sessions implements storage.Store.
func (s *Store) Sessions(ctx context.Context, accountID string, now, idleSince time.Time) ([]storage.Session, error) {
	if idleSince.IsZero() {
		idleSince = time.Unix(0, 0)
	}
	var rows []sessionRow
	err := s.read.WithContext(ctx).Where("account_id = ? AND expires_at > ? AND seen_at > ?", accountID, instant{now}, instant{idleSince}).
		Order("created_at DESC, id").Find(&rows).Error
	if err != nil {
		return nil, failure(ctx, err)
	}
	sessions := make([]storage.Session, len(rows))
	for i, r := range rows {
		if sessions[i], err = s.session(r); err != nil {
			return nil, err
		}
	}
	return sessions, nil
}

// ending is the condition on sessions that an Ending is.
func ending(e storage.Ending) (condition string, values []any) {
	switch {
	case e.SessionID != "" && e.AccountID != "":
		return "id = ? AND account_id = ?", []any{e.SessionID, e.AccountID}
	case e.SessionID != "":
		return "id = ?", []any{e.SessionID}
	case e.AccountID != "":
		return "account_id = ? AND id <> ?", []any{e.AccountID, e.Except}
	}
	return "", nil
}

// EndSessions implements storage.Store. It needs several statements: an approval that holds a session's row is waited
// for by the first, and only a later statement sees the grant which that approval made.
func (s *Store) EndSessions(ctx context.Context, e storage.Ending, now time.Time, tell func([]storage.Party) ([]storage.Delivery, error)) (storage.Ended, error) {
	condition, values := ending(e)
	if condition == "" {
		return storage.Ended{}, nil
	}
	var done storage.Ended
	err := s.transaction(ctx, func(tx *gorm.DB) error {
		done = storage.Ended{}
		var ids []string
		err := tx.Raw("DELETE FROM sessions WHERE "+condition+" RETURNING id", values...).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		if done.Sessions = len(ids); e.Heir != "" {
			if err := tx.Exec(inheritGrants, e.Heir, ids, e.Heir).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec(revokeGrants, instant{now}, ids).Error; err != nil {
			return err
		}
		if done.Parties, err = parties(tx, ids); err != nil || tell == nil || len(done.Parties) == 0 {
			return err
		}
		deliveries, err := tell(done.Parties)
		if err != nil {
			return err
		}
		return s.putDeliveries(tx, deliveries)
	})
	return done, err
}

const (
	inheritGrants = "UPDATE grants SET session_id = ? WHERE session_id IN ? AND account_id = (SELECT account_id FROM sessions WHERE id = ?)"
	revokeGrants  = "UPDATE grants SET revoked_at = ? WHERE session_id IN ? AND revoked_at IS NULL AND (redeemed_at IS NULL OR NOT offline)"
	findParties   = "SELECT p.subject, p.sid, c.id, c.metadata, c.disabled, c.created_at, c.updated_at FROM " +
		"(SELECT DISTINCT client_id, subject, sid FROM grants WHERE session_id IN ? AND sid <> '' AND redeemed_at IS NOT NULL) p " +
		"JOIN clients c ON c.id = p.client_id ORDER BY c.id, p.sid"
)

type partyRow struct {
	Client  clientRow `gorm:"embedded"`
	Subject string
	SID     string `gorm:"column:sid"`
}

// parties are the relying parties of ended sessions. A code that was not redeemed told nobody anything.
func parties(tx *gorm.DB, sessions []string) ([]storage.Party, error) {
	var rows []partyRow
	if err := tx.Raw(findParties, sessions).Find(&rows).Error; err != nil {
		return nil, err
	}
	var list []storage.Party
	for _, r := range rows {
		list = append(list, storage.Party{Client: r.Client.client(), Subject: r.Subject, SID: r.SID})
	}
	return list, nil
}

// AccountBySubject implements storage.Store.
func (s *Store) AccountBySubject(ctx context.Context, sector, subject string) (string, error) {
	var accounts []string
	err := s.read.WithContext(ctx).Raw("SELECT account_id FROM subjects WHERE sector = ? AND subject = ?", sector, subject).Scan(&accounts).Error
	switch {
	case sqlState(err) == notInRepertoire, err == nil && len(accounts) == 0:
		return "", storage.ErrNotFound
	case err != nil:
		return "", failure(ctx, err)
	}
	return accounts[0], nil
}
