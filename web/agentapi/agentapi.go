// Package agentapi serves the agent protocol: JSON over POST, every call proved with the agent's own key.
// It checks form and proof and hands the call to idp; it knows neither pages nor what evidence means.
package agentapi

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/idp"
	"tegata/web/show"
	"tegata/web/ui"
)

// Handler serves /agent/v1.
type Handler struct {
	IDP  *idp.Provider
	Show *show.Show
	Now  func() time.Time
}

// Mount puts the routes next to their code.
func (h *Handler) Mount(r gin.IRoutes) {
	r.POST(agent.ClaimPath, h.answer(h.claim))
	r.POST(agent.ProgressPath, h.answer(h.progress))
	r.POST(agent.ResultPath, h.answer(h.result))
	r.POST(agent.CancelPath, h.answer(h.cancel))
}

// call is one proved request.
type call struct {
	*gin.Context
	body []byte
}

func (h *Handler) answer(f func(call) (any, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		show.Note(c.Request, slog.String("route", c.FullPath()))
		c.Header("Cache-Control", "no-store")
		c.Header("X-Content-Type-Options", "nosniff")
		body, err := read(c)
		if err != nil {
			h.refuse(c, err)
			return
		}
		out, err := f(call{c, body})
		switch {
		case err != nil:
			h.refuse(c, err)
		case out == nil:
			c.Status(http.StatusNoContent)
		default:
			c.JSON(http.StatusOK, out)
		}
	}
}

// read takes a JSON body of bounded size. Demanding the type keeps web forms of foreign sites out.
func read(c *gin.Context) ([]byte, error) {
	if c.ContentType() != "application/json" {
		return nil, fail.BadInput.At("content_type")
	}
	var body bytes.Buffer
	body.Grow(bytes.MinRead + int(min(max(c.Request.ContentLength, 0), agent.MaxBody)))
	if _, err := body.ReadFrom(http.MaxBytesReader(c.Writer, c.Request.Body, agent.MaxBody)); err != nil {
		return nil, fail.BadInput.Because(err)
	}
	return body.Bytes(), nil
}

func (h *Handler) refuse(c *gin.Context, err error) {
	e := fail.From(err)
	out := agent.ErrorResponse{Code: e.Code, Incident: h.Show.Incident(c.Request, e)}
	if e.Tries != fail.NoTries {
		out.Tries = &e.Tries
	}
	out.Message = h.Show.UI.Text(ui.Lang(c.Request, nil), "error_"+e.Code+"_what", nil)
	c.JSON(e.Status, out)
}

func (h *Handler) claim(c call) (any, error) {
	in, err := agent.CheckClaim(c.GetHeader(agent.ProofHeader), http.MethodPost, h.IDP.Issuer+agent.ClaimPath, c.body, h.Now())
	if err != nil {
		return nil, err
	}
	context, err := h.IDP.ClaimTicket(c.Request.Context(), in, in.Key.JWK())
	if err != nil {
		return nil, err
	}
	show.Note(c.Request, slog.String("client", context.Client.ID))
	return context, nil
}

func (h *Handler) progress(c call) (any, error) {
	in, err := agent.Decode[agent.ProgressRequest](c.body)
	if err != nil {
		return nil, err
	}
	if err := h.prove(c, in.Login, agent.ProgressPath); err != nil {
		return nil, err
	}
	return nil, h.IDP.Report(c.Request.Context(), in)
}

func (h *Handler) result(c call) (any, error) {
	in, err := agent.Decode[agent.ResultRequest](c.body)
	if err != nil {
		return nil, err
	}
	if err := h.prove(c, in.Login, agent.ResultPath); err != nil {
		return nil, err
	}
	code, err := h.IDP.Result(c.Request.Context(), in)
	if err != nil {
		return nil, err
	}
	return agent.ResultResponse{Code: code}, nil
}

func (h *Handler) cancel(c call) (any, error) {
	in, err := agent.Decode[agent.CancelRequest](c.body)
	if err != nil {
		return nil, err
	}
	if err := h.prove(c, in.Login, agent.CancelPath); err != nil {
		return nil, err
	}
	return nil, h.IDP.GiveUp(c.Request.Context(), in)
}

// prove demands the key that claimed the login. A login that does not exist reads like a wrong key: ids are no secrets,
// but there is no need to confirm one.
func (h *Handler) prove(c call, login, path string) error {
	if client := h.IDP.ClientOf(login); client != "" {
		show.Note(c.Request, slog.String("client", client))
	}
	jwk, err := h.IDP.AgentKey(c.Request.Context(), login)
	if errors.Is(err, fail.LoginUnknown) {
		return fail.ProofInvalid
	}
	if err != nil {
		return err
	}
	key, err := agent.ParseKey(jwk)
	if err != nil {
		return fail.Internal.Because(err)
	}
	_, err = agent.CheckProof(c.GetHeader(agent.ProofHeader), key, http.MethodPost, h.IDP.Issuer+path, c.body, h.Now())
	return err
}
