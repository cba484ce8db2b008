package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"tegata/authn/fail"
	"tegata/web/show"
)

// logged writes one line per request: pattern, status, time, and what handlers noted. Never a raw path or query: they
// hold completion codes, states and hints.
func logged(log *slog.Logger, s *show.Show, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, event := show.WithEvent(r)
		out := &recorder{ResponseWriter: w, status: http.StatusOK}
		start := time.Now()
		defer func() {
			if p := recover(); p != nil {
				rescue(log, s, out, r, p)
			}
			write(log, r, out.status, start, event)
		}()
		next.ServeHTTP(out, r)
	})
}

// write is log.LogAttrs without finding out which line of the source calls it: it is always this one.
func write(log *slog.Logger, r *http.Request, status int, start time.Time, event *show.Event) {
	if !log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	now := time.Now()
	line := slog.NewRecord(now, slog.LevelInfo, "request", 0)
	line.AddAttrs(slog.String("method", r.Method), slog.String("pattern", r.Pattern), slog.Int("status", status), slog.Duration("took", now.Sub(start)))
	line.AddAttrs(event.Attrs...)
	_ = log.Handler().Handle(r.Context(), line) // as LogAttrs has it: nobody is left to tell
}

// rescue answers a panic like any failure of ours. The stack names code, not data; the panic's value may quote input and
// is reduced to its type.
func rescue(log *slog.Logger, s *show.Show, w *recorder, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	log.ErrorContext(r.Context(), "panic", "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	if !w.wrote {
		s.Error(w, r, fail.Internal)
	}
}

type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *recorder) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection, to flush events.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush passes on what gin asks for.
func (w *recorder) Flush() {
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
		return // not a streaming connection
	}
}
