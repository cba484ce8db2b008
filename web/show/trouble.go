package show

import (
	"context"
	"encoding/base32"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"tegata/authn/fail"
	"tegata/storage"
	"tegata/web/ui"
)

// Event is the one wide log line of a request; handlers add to it, the outermost handler writes it.
type Event struct{ Attrs []slog.Attr }

type eventKey struct{}

// WithEvent gives a request its event.
func WithEvent(r *http.Request) (*http.Request, *Event) {
	e := &Event{}
	return r.WithContext(context.WithValue(r.Context(), eventKey{}, e)), e
}

// Note adds to the request's log line. Values must be codes, ids and numbers, never a person's or a secret's.
func Note(r *http.Request, attrs ...slog.Attr) {
	if e, ok := r.Context().Value(eventKey{}).(*Event); ok {
		e.Attrs = append(e.Attrs, attrs...)
	}
}

// noted is what the request's log line says under a key; "" if nothing.
func noted(r *http.Request, key string) string {
	e, _ := r.Context().Value(eventKey{}).(*Event)
	if e == nil {
		return ""
	}
	i := slices.IndexFunc(e.Attrs, func(a slog.Attr) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Value.String()
}

// doing is what a request was about, in words without values: an event's name, or the pattern of its route.
func doing(r *http.Request) string {
	if event := noted(r, "event"); event != "" {
		return event
	}
	if route := noted(r, "route"); route != "" {
		return r.Method + " " + route
	}
	return r.Pattern
}

// Error shows a coded error as a page; anything uncoded is "internal".
func (s *Show) Error(w http.ResponseWriter, r *http.Request, err error) {
	s.drawn(w, r, fail.From(err), ui.ErrorPage{Explain: s.explanation(r, err)})
}

// Trouble shows an error in the middle of a login that can still go on.
func (s *Show) Trouble(w http.ResponseWriter, r *http.Request, err error, retry string) {
	s.error(w, r, fail.From(err), "", retry)
}

func (s *Show) error(w http.ResponseWriter, r *http.Request, e *fail.Error, back, retry string) {
	s.drawn(w, r, e, ui.ErrorPage{BackURL: back, RetryURL: retry})
}

func (s *Show) drawn(w http.ResponseWriter, r *http.Request, e *fail.Error, p ui.ErrorPage) {
	p.Err, p.Incident, p.Time = e, s.Incident(r, e), s.Now()
	s.UI.Render(w, r, e.Status, p)
}

// Incident draws the number that links the page a person sees with the operator's log, and logs the error under it.
// Causes are logged only for our own failures: those of a person's input may quote it.
func (s *Show) Incident(r *http.Request, e *fail.Error) string {
	var b [5]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return ""
	}
	incident := "T-" + base32.StdEncoding.EncodeToString(b[:])
	attrs := []any{slog.String("incident", incident), slog.Any("error", e)}
	if cause := e.Unwrap(); cause != nil && e.Status >= 500 {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	s.Log.Log(r.Context(), logLevel(e), "refused", attrs...)
	if s.Audit != nil {
		s.Audit(storage.Incident{ID: incident, At: s.Now(), Event: doing(r), Code: e.Code, ClientID: noted(r, "client")})
	}
	Note(r, slog.String("code", e.Code), slog.String("incident", incident))
	return incident
}
