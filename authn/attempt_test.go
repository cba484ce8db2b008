package authn

import (
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn/fail"
	"tegata/storage"
)

var noon = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

type attempt struct {
	browser, other Secret
	login          storage.Login
}

func begin(t *testing.T) attempt {
	t.Helper()
	browser, err := NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Begin("shop", storage.AuthRequest{Scopes: []string{"openid"}}, browser, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return attempt{browser, other, l}
}

func (a attempt) ticket(t *testing.T) Secret {
	t.Helper()
	_, text, _ := strings.Cut(Ticket(a.login, a.browser), ".")
	s, ok := ParseSecret(text)
	if !ok {
		t.Fatal("the ticket is no secret")
	}
	return s
}

// to drives the attempt to a state and returns the completion code when there is one.
func (a *attempt) to(t *testing.T, s storage.LoginState) Secret {
	t.Helper()
	var code Secret
	step := func(l storage.Login, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		a.login = l
	}
	if s == storage.Created {
		return code
	}
	step(Start(a.login, a.browser, noon, rand.Reader))
	if s == storage.Waiting {
		return code
	}
	step(Claim(a.login, a.ticket(t), []byte("key"), "1.0", "", noon, rand.Reader))
	if s == storage.Claimed {
		return code
	}
	l, code, err := Verify(a.login, Evidence{ACR: ACR}, noon, rand.Reader)
	step(l, err)
	if s == storage.Verified {
		return code
	}
	step(Return(a.login, code, a.browser, noon))
	return code
}

func TestTheTicketIsNotInTheRecordAndComesBackOnlyToItsBrowser(t *testing.T) {
	a := begin(t)
	a.to(t, storage.Waiting)
	ticket := a.ticket(t)
	if strings.Contains(string(a.login.TicketHash), string(ticket[:])) || !ticket.Is(a.login.TicketHash) {
		t.Error("the record does not hold exactly the hash")
	}
	if Ticket(a.login, a.other) == Ticket(a.login, a.browser) {
		t.Error("another browser can compute the ticket")
	}
	first := ticket
	again, err := Start(a.login, a.browser, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if first.Is(again.TicketHash) {
		t.Error("a restart leaves the old ticket alive")
	}
}

func TestClaims(t *testing.T) {
	tests := []struct {
		name   string
		state  storage.LoginState
		wrong  bool
		at     time.Duration
		expect error
	}{
		{"in time", storage.Waiting, false, 0, nil},
		{"with another secret", storage.Waiting, true, 0, fail.LoginUnknown},
		{"at the end of the ticket's life", storage.Waiting, false, TicketLife, fail.LoginExpired},
		{"one second before", storage.Waiting, false, TicketLife - time.Second, nil},
		{"a second time", storage.Claimed, false, 0, fail.TicketClaimed},
		{"after the evidence", storage.Verified, false, 0, fail.TicketClaimed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := begin(t)
			a.to(t, tt.state)
			ticket := a.ticket(t)
			if tt.wrong {
				ticket = a.other
			}
			if _, err := Claim(a.login, ticket, nil, "1.0", "", noon.Add(tt.at), rand.Reader); !errors.Is(err, tt.expect) {
				t.Errorf("got %v, want %v", err, tt.expect)
			}
		})
	}
}

func TestReturns(t *testing.T) {
	tests := []struct {
		name   string
		state  storage.LoginState
		code   func(Secret) Secret
		other  bool
		at     time.Duration
		expect error
		burned bool
	}{
		{name: "in the browser that started", state: storage.Verified},
		{name: "in another browser: the ticket burns", state: storage.Verified, other: true, expect: fail.DifferentBrowser, burned: true},
		{name: "with a wrong code, which burns nothing", state: storage.Verified, code: flip, expect: fail.LoginUnknown},
		{name: "with a wrong code in another browser", state: storage.Verified, code: flip, other: true, expect: fail.LoginUnknown},
		{name: "too late", state: storage.Verified, at: CompletionLife, expect: fail.LoginExpired},
		{name: "a second time", state: storage.Returned, expect: fail.AlreadyUsed},
		{name: "before there is a code", state: storage.Claimed, code: flip, expect: fail.LoginUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := begin(t)
			code := a.to(t, tt.state)
			if tt.code != nil {
				code = tt.code(code)
			}
			browser := a.browser
			if tt.other {
				browser = a.other
			}
			l, err := Return(a.login, code, browser, noon.Add(tt.at))
			if !errors.Is(err, tt.expect) {
				t.Fatalf("got %v, want %v", err, tt.expect)
			}
			if (l.State == storage.Burned) != tt.burned {
				t.Errorf("state is %s", l.State)
			}
			if tt.burned {
				if _, err := Return(l, code, a.browser, noon); !errors.Is(err, fail.AlreadyUsed) {
					t.Errorf("a burned code still works at home: %v", err)
				}
			}
		})
	}
}

func flip(s Secret) Secret {
	s[0] ^= 1
	return s
}

func TestALoginBeginsAgainWithNothingOfThePersonLeft(t *testing.T) {
	a := begin(t)
	a.login.Request.Recall = "somebody"
	a.to(t, storage.Verified)
	a.login.AccountID = "somebody else"
	again := Again(a.login)
	want, err := Begin("shop", storage.AuthRequest{Scopes: []string{"openid"}}, a.browser, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want.ID, want.Version, want.TicketSerial, want.Progress = a.login.ID, a.login.Version+1, a.login.TicketSerial, CardAgain
	if !reflect.DeepEqual(again, want) {
		t.Errorf("got %+v", again)
	}
	if _, err := Start(again, a.browser, noon, rand.Reader); err != nil {
		t.Error(err)
	}
}

func TestAnotherBrowserMovesNothing(t *testing.T) {
	a := begin(t)
	if _, err := Start(a.login, a.other, noon, rand.Reader); !errors.Is(err, fail.DifferentBrowser) {
		t.Errorf("start: %v", err)
	}
	if err := Check(a.login, a.browser, noon.Add(LoginLife)); !errors.Is(err, fail.LoginExpired) {
		t.Errorf("an old login: %v", err)
	}
}

func TestEndedLoginsForgetThePerson(t *testing.T) {
	a := begin(t)
	a.to(t, storage.Returned)
	a.login.Facts = []byte("facts")
	answered, err := Answer(a.login)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, err := Cancel(a.login)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []storage.Login{answered, cancelled, Fail(a.login, "x")} {
		if l.Facts != nil || !l.State.Terminal() || l.Version != a.login.Version+1 {
			t.Errorf("%s keeps facts or its version", l.State)
		}
	}
}

// Whatever calls come in whatever order, a login that reached an end never leaves it, and nothing but the right code in the
// right browser makes it Returned.
func TestTheMachineOnlyMovesForward(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		browser, _ := NewSecret(rand.Reader)
		other, _ := NewSecret(rand.Reader)
		l, err := Begin("shop", storage.AuthRequest{}, browser, noon, rand.Reader)
		if err != nil {
			r.Fatal(err)
		}
		var code Secret
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			was := l
			who := browser
			foreign := rapid.Bool().Draw(r, "foreign")
			if foreign {
				who = other
			}
			now := noon.Add(time.Duration(rapid.IntRange(0, 700).Draw(r, "seconds")) * time.Second)
			var next storage.Login
			switch op := rapid.IntRange(0, 6).Draw(r, "op"); op {
			case 0:
				next, err = Start(l, who, now, rand.Reader)
			case 1:
				next, err = Claim(l, who.derive(l.ID, l.TicketSerial), nil, "", "", now, rand.Reader)
			case 2:
				next, code, err = Verify(l, Evidence{}, now, rand.Reader)
			case 3:
				next, err = Return(l, code, who, now)
				if err == nil && foreign {
					r.Fatal("returned in another browser")
				}
			case 4:
				next, err = Answer(l)
			case 5:
				next, err = Cancel(l)
			case 6:
				next, err = Report(l, "signing", 3, now)
			}
			if was.State.Terminal() && next.Version != was.Version {
				r.Fatalf("%s -> %s", was.State, next.State)
			}
			if next.Version != was.Version && next.Version != was.Version+1 {
				r.Fatal("version jumps")
			}
			if err == nil || next.State == storage.Burned {
				l = next
			}
		}
	})
}

func TestSecretsPrintAsStars(t *testing.T) {
	s, err := NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%s", "%+v", "%#v"} {
		if got := fmt.Sprintf(format, s); got != "[secret]" {
			t.Errorf("%s prints %q", format, got)
		}
	}
	if again, ok := ParseSecret(s.Reveal()); !ok || again != s {
		t.Error("Reveal and ParseSecret disagree")
	}
	for _, bad := range []string{"", s.Reveal() + "=", s.Reveal()[1:], strings.Repeat("*", 43)} {
		if _, ok := ParseSecret(bad); ok {
			t.Errorf("%q is taken for a secret", bad)
		}
	}
}
