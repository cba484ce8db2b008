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
			attrs := append([]slog.Attr{
				slog.String("method", r.Method), slog.String("pattern", r.Pattern), slog.Int("status", out.status),
				slog.Duration("took", time.Since(start)),
			}, event.Attrs...)
			log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
		}()
		next.ServeHTTP(out, r)
	})
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
