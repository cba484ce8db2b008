package session_test

import (
	"testing"
	"time"

	"tegata/idp/session"
	"tegata/storage"
)

func TestServes(t *testing.T) {
	used := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	age := func(seconds int64) *int64 { return &seconds }
	for _, tc := range []struct {
		name  string
		r     storage.AuthRequest
		after time.Duration
		want  bool
	}{
		{"a plain request", storage.AuthRequest{}, 23 * time.Hour, true},
		{"a silent one", storage.AuthRequest{Prompt: []string{"none"}}, time.Minute, true},
		{"one that asks for consent: the card need not come out", storage.AuthRequest{Prompt: []string{"consent"}}, time.Minute, true},
		{"one that wants a fresh login", storage.AuthRequest{Prompt: []string{"login"}}, 0, false},
		{"one that wants the person to choose", storage.AuthRequest{Prompt: []string{"select_account"}}, 0, false},
		{"one that wants both", storage.AuthRequest{Prompt: []string{"consent", "login"}}, 0, false},
		{"max_age not reached", storage.AuthRequest{MaxAge: age(300)}, 299 * time.Second, true},
		{"max_age just reached", storage.AuthRequest{MaxAge: age(300)}, 300 * time.Second, true},
		{"max_age passed", storage.AuthRequest{MaxAge: age(300)}, 300*time.Second + 1, false},
		{"max_age of zero means the card", storage.AuthRequest{MaxAge: age(0)}, 1, false},
		{"a max_age of many years does not overflow", storage.AuthRequest{MaxAge: age(1<<31 - 1)}, 24 * time.Hour, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := session.Serves(storage.Session{AuthTime: used}, tc.r, used.Add(tc.after)); got != tc.want {
				t.Errorf("serves: %v", got)
			}
		})
	}
}

func TestTheRuleIsTheAcceptedOne(t *testing.T) {
	if session.Default != (session.Rule{Idle: time.Hour, Absolute: 24 * time.Hour}) {
		t.Errorf("the rule is %+v", session.Default)
	}
}
