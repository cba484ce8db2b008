package gormstore

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"tegata/storage"
)

type loginRow struct {
	ID          string `gorm:"primaryKey"`
	Version     int64
	State       string
	ClientID    string
	Request     document[storage.AuthRequest]
	BrowserHash blob
	CreatedAt   instant
	ExpiresAt   instant

	TicketHash    blob
	TicketExpires instant
	TicketSerial  int64

	AgentKey     blob
	AgentVersion string
	ReturnTo     string
	Nonce        blob
	Number       string
	Progress     string
	Tries        int

	AccountID         string
	AuthTime          instant
	ACR               string
	AMR               document[[]string]
	Facts             blob
	Card              blob
	SignCard          blob
	CompletionHash    blob
	CompletionExpires instant
	SessionID         string

	Failure string
}

// TableName implements gorm's Tabler.
func (loginRow) TableName() string { return "logins" }

func (s *Store) login(r loginRow) (storage.Login, error) {
	facts, err1 := s.opened(loginFacts, r.ID, r.Facts)
	asked, err2 := s.opened(loginClaims, r.ID, r.Request.V.Claims)
	card, err3 := s.opened(loginCard, r.ID, r.Card)
	signCard, err4 := s.opened(loginSignCard, r.ID, r.SignCard)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return storage.Login{}, err
	}
	r.Request.V.Claims = asked
	return storage.Login{
		ID: r.ID, Version: r.Version, State: storage.LoginState(r.State), ClientID: r.ClientID, Request: r.Request.V,
		BrowserHash: r.BrowserHash, CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time,
		TicketHash: r.TicketHash, TicketExpires: r.TicketExpires.Time, TicketSerial: r.TicketSerial,
		AgentKey: r.AgentKey, AgentVersion: r.AgentVersion, ReturnTo: r.ReturnTo, Nonce: r.Nonce, Number: r.Number,
		Progress: r.Progress, Tries: r.Tries, AccountID: r.AccountID, AuthTime: r.AuthTime.Time, ACR: r.ACR,
		AMR: r.AMR.V, Facts: facts, Card: card, SignCard: signCard, CompletionHash: r.CompletionHash,
		CompletionExpires: r.CompletionExpires.Time, SessionID: r.SessionID, Failure: r.Failure,
	}, nil
}

// CreateLogin implements storage.Store. ErrExists.
func (s *Store) CreateLogin(ctx context.Context, l storage.Login) error {
	values, err := s.loginValues(everyColumn, &l)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, insertLogin, append(values, l.ID))
	return err
}

// Login implements storage.Store.
func (s *Store) Login(ctx context.Context, id string) (storage.Login, error) {
	var row loginRow
	if err := s.byID(ctx, findLogin, id, allOfLogin.fields(&row)); err != nil {
		return storage.Login{}, err
	}
	return s.login(row)
}

var (
	allOfLogin  = columnsOf(&loginRow{})
	insertLogin = unwaited("INSERT INTO logins (" + everyColumn.join("") + ", id) SELECT " + everyColumn.marks() + ", ? WHERE true")
	findLogin   = hotly("SELECT " + allOfLogin.names() + " FROM logins WHERE id = ?")
)

// A step before the agent is not waited for, see unwaited.
var (
	swapping      = changing{sql: func(changed loginColumns) hot { return hotly(changed.swapText()) }}
	swappingEarly = changing{sql: func(changed loginColumns) hot { return unwaited(changed.swapText()) }}
)

// early says that nothing has happened yet but that a page was shown and its button pressed: no card, no agent, no consent.
func early(l storage.Login) bool { return l.State == storage.Created || l.State == storage.Waiting }

// SwapLogin implements storage.Store.
func (s *Store) SwapLogin(ctx context.Context, was, next storage.Login) error {
	changed, values, err := s.swapValues(&was, &next)
	if err != nil {
		return err
	}
	how := &swapping
	if early(next) {
		how = &swappingEarly
	}
	return swapped(s.change(ctx, how.statement(changed), values))
}

// swapped says whether a statement that had to change a row did.
func swapped(rows int64, err error) error {
	if err == nil && rows == 0 {
		return storage.ErrStale
	}
	return err
}

// changed is what swapped wants to know of a statement that gorm has run.
func changed(done *gorm.DB) (int64, error) { return done.RowsAffected, done.Error }
