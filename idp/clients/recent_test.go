package clients

import (
	"math"
	"testing"

	"tegata/storage"
)

func TestHowRecentALoginHasToBe(t *testing.T) {
	seconds := func(n int64) *int64 { return &n }
	for _, tc := range []struct {
		name                 string
		registered, asked    *int64
		want                 *int64
		always, tellAuthTime bool
	}{
		{"nobody says", nil, nil, nil, false, false},
		{"the request says", nil, seconds(5), seconds(5), false, false},
		{"the registration says", seconds(60), nil, seconds(60), false, false},
		{"both say: the request counts, also when it is laxer", seconds(60), seconds(600), seconds(600), false, false},
		{"the registration wants the card", seconds(0), nil, seconds(0), false, false},
		{"auth_time, always", nil, nil, nil, true, true},
	} {
		req := storage.AuthRequest{MaxAge: tc.asked}
		Recent(storage.Client{DefaultMaxAge: tc.registered, RequireAuthTime: tc.always}, &req)
		if (req.MaxAge == nil) != (tc.want == nil) || tc.want != nil && *req.MaxAge != *tc.want || req.TellAuthTime != tc.tellAuthTime {
			t.Errorf("%s: %v, auth_time %v", tc.name, req.MaxAge, req.TellAuthTime)
		}
	}
	for n, good := range map[int64]bool{-1: false, 0: true, 3600: true, math.MaxInt32: true, math.MaxInt32 + 1: false} {
		c, problems := Rules{}.Client(shop(func(m *Metadata) { m.DefaultMaxAge = &n }), now)
		if good != (len(problems) == 0) || good && *c.DefaultMaxAge != n || !good && problems[0].Field != "default_max_age" {
			t.Errorf("default_max_age %d: %v", n, problems)
		}
	}
}

func TestANumberOfSecondsIsANumber(t *testing.T) {
	for raw, want := range map[string]string{
		`{"default_max_age":"60"}`: "default_max_age: must be a whole number", `{"default_max_age":1.5}`: "default_max_age: must be a whole number",
		`{"require_auth_time":1}`: "require_auth_time: must be true or false",
	} {
		var m Metadata
		if err := m.UnmarshalJSON([]byte(raw)); err == nil || err.Error() != want {
			t.Errorf("%s: %v", raw, err)
		}
	}
	var m Metadata
	if err := m.UnmarshalJSON([]byte(`{"default_max_age":null}`)); err != nil || m.DefaultMaxAge != nil {
		t.Error(err)
	}
}
