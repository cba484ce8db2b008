package cards

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/statement"
	"tegata/web/ui"
)

// Version of the agent protocol that this reader speaks.
const Version = "1.0"

// Config of a Reader.
type Config struct {
	Box    *Box
	UI     *ui.UI
	Issuer string // the one provider this agent trusts
	Host   string // our own host:port: a page under another name must not drive us (DNS rebinding)
	HTTP   *http.Client
	Now    func() time.Time
	Log    *slog.Logger
}

// Reader is the card reader's site.
type Reader struct {
	Config
	mu    sync.Mutex
	held  map[string]*held  // by id of our own
	known map[string]string // ticket -> id: a reload of the launch link finds its session
}

// held is one claimed login at the reader.
type held struct {
	session *agent.Session
	back    *agent.Return
	mu      sync.Mutex // one entry at a time
	done    bool
}

// New builds the site.
func New(c Config) http.Handler {
	r := &Reader{Config: c, held: map[string]*held{}, known: map[string]string{}}
	mux := http.NewServeMux()
	(&wire{box: c.Box, now: c.Now, open: map[string]*wireEnd{}}).mount(mux)
	mux.Handle("GET "+ui.StaticPrefix, c.UI.Static())
	mux.HandleFunc("GET /{$}", r.home)
	mux.HandleFunc("GET /launch/{ticket}", r.launch)
	mux.HandleFunc("GET /at/{id}", r.pick)
	mux.HandleFunc("POST /at/{id}", r.picked)
	mux.HandleFunc("GET /at/{id}/done", r.done)
	mux.HandleFunc("GET /at/{id}/card/{persona}", r.ask)
	mux.HandleFunc("POST /at/{id}/card/{persona}", r.enter)
	return r.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard answers only under our own name.
func (r *Reader) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Host != r.Host {
			http.Error(w, "this card reader answers at "+r.Host+" only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, req)
	})
}

func (r *Reader) home(w http.ResponseWriter, req *http.Request) {
	r.UI.Render(w, req, http.StatusOK, ui.CardPickPage{Cards: r.faces(req)})
}

// launch is what the operating system's URL scheme is for an installed agent: it takes the ticket and nothing else.
func (r *Reader) launch(w http.ResponseWriter, req *http.Request) {
	ticket, err := agent.ParseTicket(req.PathValue("ticket"))
	if err != nil {
		r.trouble(w, req, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	id, again := r.known[ticket.Hash()]
	if !again {
		if id, err = r.claim(req.Context(), ticket); err != nil {
			r.trouble(w, req, err)
			return
		}
	}
	seeOther(w, req, "/at/"+id)
}

// claim starts a session; r.mu is held.
func (r *Reader) claim(ctx context.Context, ticket agent.Ticket) (string, error) {
	back, err := agent.Listen(r.Issuer)
	if err != nil {
		return "", fail.Internal.Because(err)
	}
	client := &agent.Client{Issuer: r.Issuer, HTTP: r.HTTP, Now: r.Now, Rand: rand.Reader, Version: Version}
	session, err := client.Claim(ctx, ticket, back.Address())
	if err != nil {
		back.Fail()
		return "", err
	}
	id := rand.Text()
	r.held[id], r.known[ticket.Hash()] = &held{session: session, back: back}, id
	time.AfterFunc(time.Until(time.Now().Add(15*time.Minute)), func() { r.forget(id, ticket) })
	return id, nil
}

func (r *Reader) forget(id string, ticket agent.Ticket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, ok := r.held[id]; ok {
		h.back.Fail()
	}
	delete(r.held, id)
	delete(r.known, ticket.Hash())
}

func (r *Reader) find(req *http.Request) (*held, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.held[req.PathValue("id")]
	return h, ok
}

func (r *Reader) pick(w http.ResponseWriter, req *http.Request) {
	h, ok := r.find(req)
	if !ok {
		r.trouble(w, req, fail.LoginExpired)
		return
	}
	r.UI.Render(w, req, http.StatusOK, ui.CardPickPage{
		CardAsk: r.asks(req, h), Cards: r.faces(req), Action: "/at/" + req.PathValue("id")})
}

func (r *Reader) picked(w http.ResponseWriter, req *http.Request) {
	h, ok := r.find(req)
	if !ok {
		r.trouble(w, req, fail.LoginExpired)
		return
	}
	if req.PostFormValue("decision") == "cancel" {
		r.cancel(w, req, h)
		return
	}
	if _, ok := r.Box.Persona(req.PostFormValue("persona")); !ok {
		r.trouble(w, req, fail.CardNone)
		return
	}
	seeOther(w, req, "/at/"+req.PathValue("id")+"/card/"+url.PathEscape(req.PostFormValue("persona")))
}

func (r *Reader) ask(w http.ResponseWriter, req *http.Request) {
	r.showPIN(w, req, http.StatusOK, nil)
}

// showPIN reads the counters from the card itself, before and after every entry.
func (r *Reader) showPIN(w http.ResponseWriter, req *http.Request, status int, refused *fail.Error) {
	h, ok := r.find(req)
	if !ok {
		r.trouble(w, req, fail.LoginExpired)
		return
	}
	persona, ok := r.Box.Persona(req.PathValue("persona"))
	if !ok {
		r.trouble(w, req, fail.CardNone)
		return
	}
	page := ui.CardPINPage{
		CardAsk: r.asks(req, h), Face: r.face(req, persona), PasswordTries: fail.NoTries,
		TestPIN: persona.PIN, TestPassword: persona.Password,
		Action: req.URL.Path, BackURL: "/at/" + req.PathValue("id"),
	}
	err := r.withCard(req.Context(), persona.ID, func(c *card.Card) error {
		w, err := wanted(req, h, c)
		if err != nil {
			return err
		}
		if page.PINTries, err = c.Tries(req.Context(), card.AuthPIN); err != nil {
			return err
		}
		switch {
		case w.password:
			page.AskPassword = true
			page.PasswordTries, err = c.Tries(req.Context(), card.SignPassword)
		case w.printed:
			page.Printed = parts(persona)
			page.PrintedTries, err = c.Tries(req.Context(), card.NumberB)
		case w.choice:
			page.PrintedURL = req.URL.Path + "?with=" + statement.NumberB
		}
		return err
	})
	if err != nil {
		r.trouble(w, req, err)
		return
	}
	page.Face.NeedsPassword = page.AskPassword
	if refused != nil {
		page.ErrorCode = refused.Code
	}
	r.tell(req.Context(), h, page)
	r.UI.Render(w, req, status, page)
}

// parts of the number on a test card, for the person to copy.
func parts(p cardtest.Persona) []ui.CardPart {
	number, at := p.NumberB(), 0
	var out []ui.CardPart
	for i, size := range []int{6, 4, 4} {
		out = append(out, ui.CardPart{Name: partName(card.NumberBParts[i]), Test: number[at : at+size]})
		at += size
	}
	return out
}

// tell keeps the waiting page informed. It is a courtesy: a failure shows itself at the next real call.
func (r *Reader) tell(ctx context.Context, h *held, page ui.CardPINPage) {
	code, tries := "pin_needed", page.PINTries
	if page.ErrorCode == fail.PINWrong.Code {
		code = "pin_wrong"
	}
	if page.PINTries == 0 {
		code, tries = "pin_locked", fail.NoTries
	}
	if err := h.session.Progress(ctx, code, tries); err != nil {
		r.Log.InfoContext(ctx, "progress not delivered", "err", fail.From(err))
	}
}

// withCard opens a persona's card for one piece of work and always resets it.
func (r *Reader) withCard(ctx context.Context, persona string, work func(*card.Card) error) error {
	virtual, err := r.Box.Card(persona)
	if err != nil {
		return fail.Internal.Because(err)
	}
	transport := virtual.Connect()
	c, err := card.Open(ctx, transport)
	if err != nil {
		return errors.Join(err, transport.Close())
	}
	return errors.Join(work(c), c.Close())
}

func (r *Reader) cancel(w http.ResponseWriter, req *http.Request, h *held) {
	h.back.Fail()
	if err := h.session.Cancel(req.Context(), fail.UserCancelled.Code); err != nil {
		r.trouble(w, req, err)
		return
	}
	r.UI.Render(w, req, http.StatusOK, ui.MessagePage{Topic: ui.Cancelled, Reader: true})
}

func (r *Reader) done(w http.ResponseWriter, req *http.Request) {
	r.UI.Render(w, req, http.StatusOK, ui.CardDonePage{})
}

func (r *Reader) trouble(w http.ResponseWriter, req *http.Request, err error) {
	e := fail.From(err)
	r.Log.InfoContext(req.Context(), "card reader", "err", e)
	incident := ""
	var said *agent.ProviderError
	if errors.As(err, &said) {
		incident = said.Incident
	}
	r.UI.Render(w, req, e.Status, ui.ErrorPage{Err: e, Incident: incident, Time: r.Now(), Reader: true})
}

func seeOther(w http.ResponseWriter, req *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, req, ui.KeepLang(req, to), http.StatusSeeOther)
}
