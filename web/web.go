// Package web puts the provider on HTTP: one outer mux with the protocol's plain handlers, the pages and the agent's JSON
// API on gin, static files and health. It owns middleware: one log line per request, panics, same-origin checks.
// It refuses to know what a login is; it passes requests to rooms that do.
package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/idp"
	"tegata/idp/developer"
	"tegata/idp/op"
	"tegata/idp/person"
	"tegata/storage"
	"tegata/web/agentapi"
	"tegata/web/docs"
	"tegata/web/login"
	"tegata/web/portal"
	"tegata/web/show"
	"tegata/web/ui"
)

// Config is what the site is made of.
type Config struct {
	IDP            *idp.Provider
	Edge           op.Options
	LaunchTemplate string // {ticket} is replaced
	AsksHolder     bool   // the authority is asked whether two certificates are of one person
	TrustedProxies []netip.Prefix
	Ready          func(context.Context) error // may we be sent traffic?
	Audit          func(storage.Incident)      // hears of every refusal
	Developers     developer.Key               // recognises engineers of relying parties; nil: nobody
	Now            func() time.Time
	Rand           io.Reader
	Log            *slog.Logger
}

// New builds the site.
func New(c Config) (http.Handler, error) {
	pages, err := ui.New()
	if err != nil {
		return nil, err
	}
	pages.Log = c.Log
	s := &show.Show{
		UI: pages, Issuer: c.IDP.Issuer, LaunchTemplate: c.LaunchTemplate,
		AsksHolder: c.AsksHolder,
		Audit:      c.Audit, Developers: c.Developers, Now: c.Now, Rand: c.Rand, Log: c.Log,
	}
	engine, err := site(c, s)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	op.Register(mux, c.IDP, s, c.Edge)
	mux.Handle("GET "+ui.StaticPrefix, pages.Static())
	mux.Handle("GET /docs/", http.StripPrefix("/docs/", documents()))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", ready(c.Ready))
	mux.Handle("/", engine)
	return logged(c.Log, s, hardened(c.IDP.Issuer, limited(c, s, mux))), nil
}

// hardened sets what every answer needs; pages add their own policy (web/ui).
func hardened(issuer string, next http.Handler) http.Handler {
	https := strings.HasPrefix(issuer, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if https {
			w.Header().Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// documents serves Markdown as the text it is: a browser would offer to save it under its own type.
func documents() http.Handler {
	files := http.FileServerFS(docs.FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".md") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		files.ServeHTTP(w, r)
	})
}

// site is the part of the pages and the agent API.
func site(c Config, s *show.Show) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	proxies := make([]string, 0, len(c.TrustedProxies))
	for _, p := range c.TrustedProxies {
		proxies = append(proxies, p.String())
	}
	if err := engine.SetTrustedProxies(proxies); err != nil {
		return nil, fmt.Errorf("web: trusted proxies: %w", err)
	}
	do := func(f func(*gin.Context) error) gin.HandlerFunc {
		return func(g *gin.Context) {
			show.Note(g.Request, slog.String("route", g.FullPath()))
			if err := f(g); err != nil {
				s.Error(g.Writer, g.Request, err)
			}
		}
	}
	pages := engine.Group("/", sameOrigin(s), noMyNumber(s))
	pages.GET("/", do(func(g *gin.Context) error {
		s.UI.Render(g.Writer, g.Request, http.StatusOK, ui.MessagePage{Topic: ui.Home})
		return nil
	}))
	pages.GET("/developer/:link", do(func(g *gin.Context) error {
		if !s.Explain(g.Writer, g.Param("link")) {
			return fail.NotFound
		}
		s.UI.Render(g.Writer, g.Request, http.StatusOK, ui.MessagePage{Topic: ui.Developer})
		return nil
	}))
	(&login.Handler{IDP: c.IDP, Show: s}).Mount(pages, do)
	(&portal.Handler{IDP: c.IDP, Show: s, Desk: &person.Desk{Store: c.IDP.Store, All: c.IDP, Rule: c.IDP.SessionRule, Now: c.Now}}).Mount(pages, do)
	(&agentapi.Handler{IDP: c.IDP, Show: s, Now: c.Now}).Mount(engine)
	engine.NoRoute(do(func(*gin.Context) error { return fail.NotFound }))
	engine.NoMethod(do(func(*gin.Context) error { return fail.MethodNotAllowed }))
	return engine, nil
}

// sameOrigin refuses a form that another site sends (net/http.CrossOriginProtection): whatever moves a login must come
// from our own page.
func sameOrigin(s *show.Show) gin.HandlerFunc {
	guard := http.NewCrossOriginProtection()
	return func(g *gin.Context) {
		if err := guard.Check(g.Request); err != nil {
			s.Error(g.Writer, g.Request, fail.CrossSite)
			g.Abort()
		}
	}
}

func ready(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := check(ctx); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	}
}
