package login_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/card/pcsc"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/provider/providertest"
	"tegata/cmd/tegata-agent/login"
	"tegata/cmd/tegata-agent/trust"
	"tegata/idp/clients"
	"tegata/idp/idptest"
	"tegata/storage/storagetest"
)

// desk is a person with a browser at a whole provider, and an agent with one virtual reader.
type desk struct {
	*idptest.World
	browser *idptest.Browser
	reader  *reader
	person  *person
	login   login.Login
	opened  chan string // what the agent opened in the default browser
}

func sit(t testing.TB, persona string) *desk {
	t.Helper()
	d := &desk{World: providertest.Open(t, storagetest.SQLite(t)).World, opened: make(chan string, 1)}
	d.browser = d.NewBrowser()
	d.reader = &reader{holds: d.Town.Card(t, persona)}
	d.person = &person{answers: []string{"1234", "ABC123"}}
	d.login = login.Login{
		Provider: trust.Provider{Name: "test", Origin: d.Issuer}, HTTP: &http.Client{Transport: &http.Transport{}}, Find: d.reader.find, Prompt: d.person,
		Lang: prompt.English, Version: "1.0.0", Now: d.Town.Clock.Now, Rand: rand.Reader, Wait: time.Second, Back: 10 * time.Second,
		Open: func(_ context.Context, url string) error { d.opened <- url; return nil },
	}
	t.Cleanup(d.login.HTTP.CloseIdleConnections)
	return d
}

// started is a login that waits for its agent.
type started struct {
	page    idptest.Page
	request idptest.Request
	ticket  agent.Ticket
}

func (d *desk) click(scope string) started {
	d.T.Helper()
	shop := d.Register(clients.Metadata{
		ClientID: "shop", ClientName: "Tegata Sake", ClientNameJa: "手形酒店", Purpose: "To sell to adults.", PurposeJa: "成人に売るため", Scope: scope})
	s := started{request: shop.Request()}
	s.page = d.Approach(d.browser, s.request)
	ticket, err := agent.ParseTicket(strings.TrimPrefix(s.page.Launch, "tegata:"))
	if err != nil {
		d.T.Fatal(err)
	}
	s.ticket = ticket
	return s
}

// again starts a login anew from its waiting page.
func (d *desk) again(s started, wish string) started {
	d.T.Helper()
	s.page = d.browser.Submit(s.page.Form("/start"), wish)
	ticket, err := agent.ParseTicket(strings.TrimPrefix(s.page.Launch, "tegata:"))
	if err != nil {
		d.T.Fatal(err)
	}
	s.ticket = ticket
	return s
}

// run lets the agent work while the browser's page waits, and ends where the browser then is.
func (d *desk) run(s started) (idptest.Page, error) {
	d.T.Helper()
	done := make(chan error, 1)
	go func() { done <- d.login.Run(d.T.Context(), s.ticket) }()
	for {
		select {
		case err := <-done:
			return d.browser.Get(s.page.URL.String()), err
		case <-time.After(20 * time.Millisecond):
		}
		if p := d.browser.Get(s.page.URL.String()); p.Away != nil {
			p = d.browser.Get(p.Away.String())
			return p, <-done
		}
	}
}

// reader is what PC/SC would be: it finds the card that it holds, or says what is missing.
type reader struct {
	mu      sync.Mutex
	holds   *cardtest.Card
	missing []error // told first, one for each look
	faults  faults
	watch   func(card.Transport) card.Transport // looks on while the card works; nil for nobody
	looks   []pcsc.Options
	open    int
	last    *session
}

type faults struct {
	pad bool // the reader has keys, on which 1234 is typed
}

// takeAway lifts the card for a moment.
func (r *reader) takeAway() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.last.lost)
}

func (r *reader) find(_ context.Context, o pcsc.Options) (login.Card, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks = append(r.looks, o)
	if len(r.missing) > 0 {
		why := r.missing[0]
		r.missing = r.missing[1:]
		var choice *pcsc.Choice
		if errors.As(why, &choice) {
			return nil, why
		}
		o.Waiting(why)
		if len(r.missing) == 0 && r.holds == nil {
			return nil, why
		}
	}
	transport := r.holds.Connect()
	if r.watch != nil {
		transport = r.watch(transport)
	}
	c, err := card.Open(context.Background(), transport)
	if err != nil {
		return nil, err
	}
	r.open++
	r.last = &session{Card: c, reader: r, lost: make(chan struct{})}
	return r.last, nil
}

type session struct {
	*card.Card
	reader *reader
	lost   chan struct{}
}

func (s *session) Lost() <-chan struct{} { return s.lost }

func (s *session) HasPad(_ context.Context, p card.PIN) bool {
	return s.reader.faults.pad && p != card.SignPassword
}

func (s *session) VerifyOnPad(ctx context.Context, p card.PIN) error {
	return s.Verify(ctx, p, []byte("1234"))
}

func (s *session) Close() error {
	s.reader.mu.Lock()
	s.reader.open--
	s.reader.mu.Unlock()
	return s.Card.Close()
}

// person answers each question with the next of the answers; "no" cancels, and every question is kept.
type person struct {
	answers []string
	asked   []prompt.Ask
	chose   []prompt.Choice
	told    []string
	before  func(ctx context.Context, a prompt.Ask) // while thinking
	given   [][]byte
	entered time.Time // when the last entry was given
}

func (p *person) PIN(ctx context.Context, a prompt.Ask) ([]byte, error) {
	p.asked = append(p.asked, a)
	if a.Tries == 0 {
		return nil, fail.PINLocked.Left(0)
	}
	if p.before != nil {
		p.before(ctx, a)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(p.answers) == 0 || p.answers[0] == "no" {
		return nil, fail.UserCancelled
	}
	entry := []byte(p.answers[0])
	p.answers, p.given = p.answers[1:], append(p.given, entry)
	p.entered = time.Now()
	return entry, nil
}

func (p *person) Confirm(_ context.Context, a prompt.Ask) error {
	p.asked = append(p.asked, a)
	if a.Tries == 0 {
		return fail.PINLocked.Left(0)
	}
	return nil
}

func (p *person) Choose(_ context.Context, _ string, options []prompt.Choice) (int, error) {
	p.chose = options
	return len(options) - 1, nil
}

func (p *person) Tell(_ context.Context, e *fail.Error) error {
	p.told = append(p.told, e.Code)
	return nil
}

func (p *person) pins() (out []card.PIN) {
	for _, a := range p.asked {
		out = append(out, a.PIN)
	}
	return out
}

// spotless fails if an entry was not wiped or a card was left open.
func (d *desk) spotless() {
	d.T.Helper()
	for _, entry := range d.person.given {
		if slices.ContainsFunc(entry, func(b byte) bool { return b != 0 }) {
			d.T.Errorf("an entry of %d bytes was not wiped", len(entry))
		}
	}
	if d.reader.open != 0 {
		d.T.Errorf("%d cards were not reset", d.reader.open)
	}
	if d.reader.holds != nil && d.reader.holds.MyNumberTouched() {
		d.T.Error("the My Number was touched")
	}
}
