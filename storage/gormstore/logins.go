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

func (s *Store) toLoginRow(l storage.Login) (*loginRow, error) {
	facts, err1 := s.sealed(loginFacts, l.ID, l.Facts)
	asked, err2 := s.sealed(loginClaims, l.ID, l.Request.Claims)
	card, err3 := s.sealed(loginCard, l.ID, l.Card)
	signCard, err4 := s.sealed(loginSignCard, l.ID, l.SignCard)
	l.Request.Claims = asked
	return &loginRow{
		ID: l.ID, Version: l.Version, State: string(l.State), ClientID: l.ClientID, Request: document[storage.AuthRequest]{l.Request},
		BrowserHash: l.BrowserHash, CreatedAt: instant{l.CreatedAt}, ExpiresAt: instant{l.ExpiresAt},
		TicketHash: l.TicketHash, TicketExpires: instant{l.TicketExpires}, TicketSerial: l.TicketSerial,
		AgentKey: l.AgentKey, AgentVersion: l.AgentVersion, ReturnTo: l.ReturnTo, Nonce: l.Nonce, Number: l.Number,
		Progress: l.Progress, Tries: l.Tries, AccountID: l.AccountID, AuthTime: instant{l.AuthTime}, ACR: l.ACR,
		AMR: document[[]string]{l.AMR}, Facts: facts, Card: card, SignCard: signCard, CompletionHash: l.CompletionHash,
		CompletionExpires: instant{l.CompletionExpires}, SessionID: l.SessionID, Failure: l.Failure,
	}, errors.Join(err1, err2, err3, err4)
}

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
	row, err := s.toLoginRow(l)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, insertLogin, allOfLogin.fields(row))
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
	insertLogin = unwaited("INSERT INTO logins (" + allOfLogin.names() + ") SELECT " + allOfLogin.marks() + " WHERE true")
	findLogin   = hotly("SELECT " + allOfLogin.names() + " FROM logins WHERE id = ?")

	// Every change of a login is this statement: who comes second finds another version and changes nothing.
	loginColumns  = columnsOf(&loginRow{}, "id")
	swapLoginText = "UPDATE logins SET " + loginColumns.set() + " WHERE id = ? AND version = ?"
	swapLogin     = hotly(swapLoginText)
	swapEarly     = unwaited(swapLoginText)
)

// early says that nothing has happened yet but that a page was shown and its button pressed: no card, no agent, no consent.
func early(l storage.Login) bool { return l.State == storage.Created || l.State == storage.Waiting }

func (r *loginRow) swapValues(more ...any) []any {
	return loginColumns.fields(r, append([]any{r.ID, r.Version - 1}, more...)...)
}

// SwapLogin implements storage.Store.
func (s *Store) SwapLogin(ctx context.Context, next storage.Login) error {
	row, err := s.toLoginRow(next)
	if err != nil {
		return err
	}
	swap := swapLogin
	if early(next) {
		swap = swapEarly
	}
	return swapped(s.change(ctx, swap, row.swapValues()))
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
