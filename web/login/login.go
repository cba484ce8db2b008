// Package login serves the address of a login: the page for each of its states, the forms that move it, the events the
// page follows, and the browser's way back from the agent.
// It reads, asks idp, and hands the step to web/show; it decides nothing itself.
package login

import (
	"errors"
	"log/slog"
	"strings"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/authn/statement"
	"tegata/idp"
	"tegata/web/show"
	"tegata/web/ui"
)

// Handler serves /login.
type Handler struct {
	IDP  *idp.Provider
	Show *show.Show
}

// Mount puts the routes next to their code. do adapts handlers that return errors.
func (h *Handler) Mount(r gin.IRoutes, do func(func(*gin.Context) error) gin.HandlerFunc) {
	r.GET("/login/:id", do(h.page))
	r.GET("/login/:id/events", do(h.events))
	r.GET("/login/:id/leave", do(h.leave))
	r.GET("/login/return/:code", do(h.back))
	r.POST("/login/:id/start", do(h.start))
	r.POST("/login/:id/forget", do(h.forget))
	r.POST("/login/:id/cancel", do(h.cancel))
	r.POST("/login/:id/consent", do(h.consent))
	r.POST("/signout", do(h.signOut))
}

func (h *Handler) page(c *gin.Context) error {
	step, err := h.IDP.Resume(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request))
	if err != nil {
		return err
	}
	h.Show.Page(c.Writer, c.Request, step)
	return nil
}

// leave goes back to the relying party from a failed login. It only reads.
func (h *Handler) leave(c *gin.Context) error {
	step, err := h.IDP.Leave(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request))
	return h.to(c, step, err)
}

// back is where the agent's loopback address sends the browser: the completion code is in the path because future
// browsers may strip a query on the way from there (reference/peers.md 4.11).
func (h *Handler) back(c *gin.Context) error {
	step, err := h.IDP.Return(c.Request.Context(), c.Param("code"), h.Show.Known(c.Request))
	if errors.Is(err, fail.DifferentBrowser) {
		show.Note(c.Request, slog.String("event", "login_burned"))
	}
	return h.to(c, step, err)
}

func (h *Handler) start(c *gin.Context) error {
	wish := idp.Starting{Lang: ui.Clicked(c.Request), Printed: c.PostForm("card_info_by") == statement.NumberB}
	step, err := h.IDP.Start(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request), wish)
	return h.to(c, step, err)
}

// forget makes this browser bring nobody to mind; the login goes on with the card alone.
func (h *Handler) forget(c *gin.Context) error {
	step, err := h.IDP.ForgetHint(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request))
	if err == nil {
		h.Show.DropHint(c.Writer)
	}
	return h.to(c, step, err)
}

func (h *Handler) cancel(c *gin.Context) error {
	step, err := h.IDP.Cancel(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request))
	return h.to(c, step, err)
}

// consent takes the person's decision. Only "allow" allows.
func (h *Handler) consent(c *gin.Context) error {
	switch c.PostForm("decision") {
	case "allow":
	case "deny":
		return h.cancel(c)
	default:
		return fail.BadInput.At("decision")
	}
	if c.PostForm("renewed") != "" {
		// No news of an earlier record is no end: the login waits on its page, where the person may go on without.
		if err := h.IDP.TakeOver(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request)); err != nil {
			h.Show.Trouble(c.Writer, c.Request, err, show.LoginPath(c.Param("id")))
			return nil
		}
	}
	step, err := h.IDP.Approve(c.Request.Context(), c.Param("id"), h.Show.Known(c.Request), idp.Decision{
		Items: c.PostFormArray("item"), Texts: h.Show.UI.ShownTexts(c.PostForm("texts")), Remember: c.PostForm("remember") == "yes", Latest: c.PostForm("latest")})
	if err == nil && step.Show == idp.ShowLatest {
		h.Show.Latest(c.Writer, c.Request, step)
		return nil
	}
	return h.to(c, step, err)
}

func (h *Handler) to(c *gin.Context, step idp.Step, err error) error {
	if err != nil {
		return err
	}
	h.Show.Step(c.Writer, c.Request, step)
	return nil
}

// signOut is the button of our own page; the same-origin check in front makes it the person's word.
func (h *Handler) signOut(c *gin.Context) error {
	l := idp.Logout{
		Hint: c.PostForm("id_token_hint"), ClientID: c.PostForm("client_id"),
		RedirectURI: c.PostForm("post_logout_redirect_uri"), State: c.PostForm("state"),
		UILocales: strings.Fields(c.PostForm("ui_locales")), Confirmed: true,
	}
	step, err := h.IDP.EndSession(c.Request.Context(), l, h.Show.Known(c.Request))
	if err != nil {
		return err
	}
	h.Show.SignOut(c.Writer, c.Request, l, step)
	return nil
}
