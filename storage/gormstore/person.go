package gormstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"tegata/storage"
)

type consentRow struct {
	ClientID string
	Items    document[[]string]
	Texts    string
	GivenAt  instant
}

// Consents implements storage.Store.
func (s *Store) Consents(ctx context.Context, accountID string) ([]storage.Consent, error) {
	var rows []consentRow
	err := s.read.WithContext(ctx).Raw("SELECT client_id, items, texts, given_at FROM consents WHERE account_id = ? ORDER BY client_id", accountID).Find(&rows).Error
	if err != nil {
		return nil, failure(ctx, err)
	}
	consents := make([]storage.Consent, len(rows))
	for i, r := range rows {
		consents[i] = storage.Consent{ClientID: r.ClientID, Items: r.Items.V, Texts: r.Texts, GivenAt: r.GivenAt.Time}
	}
	return consents, nil
}

// TakeBack implements storage.Store. Grants are looked for after the consent is gone: an approval that ran meanwhile has
// either asked or is found.
func (s *Store) TakeBack(ctx context.Context, accountID, clientID string, now time.Time) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec("DELETE FROM consents WHERE account_id = ? AND client_id = ?", accountID, clientID).Error; err != nil {
			return err
		}
		if err := tx.Exec("UPDATE grants SET revoked_at = ? WHERE account_id = ? AND client_id = ? AND revoked_at IS NULL",
			instant{now}, accountID, clientID).Error; err != nil {
			return err
		}
		return withdrawLatest(tx, now, "account_id = ? AND client_id = ?", accountID, clientID)
	})
}

// releaseEntry is the sealed part of a release: the client and the exact time would tell whoever holds a relying party's
// log which of its people is which of another's.
type releaseEntry struct {
	ClientID string    `json:"client"`
	At       time.Time `json:"at"`
	Items    []string  `json:"items"`
	Method   []string  `json:"method"`
	Outcome  string    `json:"outcome"`
}

var insertRelease = hotly("INSERT INTO releases (id, account_id, day, entry) VALUES (?, ?, ?, ?)")

// releasing is the step that writes an entry of a person's history.
func (s *Store) releasing(r storage.Release) (step, error) {
	plain, err := json.Marshal(releaseEntry{ClientID: r.ClientID, At: r.At.UTC(), Items: r.Items, Method: r.Method, Outcome: r.Outcome})
	if err != nil {
		return step{}, fmt.Errorf("gormstore: %w", err)
	}
	entry, err := s.sealed(releasesEntry, r.ID, plain)
	return step{"released", insertRelease, []any{r.ID, r.AccountID, instant{r.At.UTC().Truncate(24 * time.Hour)}, entry}, false}, err
}

// AddRelease implements storage.Store.
func (s *Store) AddRelease(ctx context.Context, r storage.Release) error {
	writing, err := s.releasing(r)
	if err != nil {
		return err
	}
	return swapped(s.change(ctx, writing.sql, writing.values))
}

type releaseRow struct {
	ID    string
	Entry blob
}

// Releases implements storage.Store.
func (s *Store) Releases(ctx context.Context, accountID string) ([]storage.Release, error) {
	var rows []releaseRow
	if err := s.read.WithContext(ctx).Raw("SELECT id, entry FROM releases WHERE account_id = ?", accountID).Find(&rows).Error; err != nil {
		return nil, failure(ctx, err)
	}
	releases := make([]storage.Release, len(rows))
	for i, r := range rows {
		plain, err := s.opened(releasesEntry, r.ID, r.Entry)
		if err != nil {
			return nil, err
		}
		var e releaseEntry
		if err := json.Unmarshal(plain, &e); err != nil {
			return nil, fmt.Errorf("gormstore: releases.entry: %w", err)
		}
		releases[i] = storage.Release{ID: r.ID, AccountID: accountID, ClientID: e.ClientID, At: e.At, Items: e.Items, Method: e.Method, Outcome: e.Outcome}
	}
	slices.SortFunc(releases, func(a, b storage.Release) int { return b.At.Compare(a.At) })
	return releases, nil
}

const forgetOld = "DELETE FROM releases WHERE day < ?"

// keptFor narrows forgetOld to the people who chose a time.
const keptFor = " AND account_id IN (SELECT account_id FROM people WHERE keep_days = ?)"

// oldest is the first day that is still kept. A whole day is: its entries do not show their hour.
func oldest(days int, now time.Time) instant {
	return instant{now.UTC().AddDate(0, 0, -days).Truncate(24 * time.Hour)}
}

// Keep implements storage.Store.
func (s *Store) Keep(ctx context.Context, accountID string, days int, now time.Time) error {
	return s.transaction(ctx, func(tx *gorm.DB) error {
		err := tx.Exec("INSERT INTO people (account_id, keep_days) VALUES (?, ?) "+
			"ON CONFLICT (account_id) DO UPDATE SET keep_days = excluded.keep_days", accountID, days).Error
		if err != nil {
			return err
		}
		return tx.Exec(forgetOld+" AND account_id = ?", oldest(days, now), accountID).Error
	})
}

// Kept implements storage.Store.
func (s *Store) Kept(ctx context.Context, accountID string) (int, error) {
	days := make([]int, 0, 1)
	err := s.read.WithContext(ctx).Raw("SELECT keep_days FROM people WHERE account_id = ?", accountID).Scan(&days).Error
	if err != nil || len(days) == 0 {
		return storage.KeepDays[0], failure(ctx, err)
	}
	return days[0], nil
}

// aboutPeople are the tables with rows about an account, in the order in which rows are locked everywhere.
var aboutPeople = []string{"logins", "sessions", "subjects", "consents", "grants", "credentials", "told", "link_consents", "releases", "people",
	"fact_keys", "remembered", "hints", "latest_consents"}

// DeleteAccount implements storage.Store.
func (s *Store) DeleteAccount(ctx context.Context, accountID string) error {
	if accountID == "" {
		return nil // the mark of logins that nobody has answered yet
	}
	return s.transaction(ctx, func(tx *gorm.DB) error {
		if err := endLatest(tx, "account_id = ?", accountID); err != nil {
			return err
		}
		for _, table := range aboutPeople {
			if err := tx.Exec("DELETE FROM "+table+" WHERE account_id = ?", accountID).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
