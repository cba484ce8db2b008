package cards

import (
	"errors"
	"net/http"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/fail"
)

// enter takes one entry of PIN and password to the card. Each is presented at most once.
func (r *Reader) enter(w http.ResponseWriter, req *http.Request) {
	h, ok := r.find(req)
	if !ok {
		r.trouble(w, req, fail.LoginExpired)
		return
	}
	if req.PostFormValue("decision") == "cancel" {
		r.cancel(w, req, h)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		seeOther(w, req, "/at/"+req.PathValue("id")+"/done")
		return
	}
	err := r.perform(req, h)
	var refused *fail.Error
	switch {
	case err == nil:
		h.done = true
		seeOther(w, req, "/at/"+req.PathValue("id")+"/done")
	case errors.As(err, &refused) && (retryable(refused) || h.session.GoesOn(err)):
		r.showPIN(w, req, http.StatusOK, refused)
	default:
		h.back.Fail()
		r.trouble(w, req, err)
	}
}

// retryable says that another entry may help.
func retryable(e *fail.Error) bool {
	for _, known := range []*fail.Error{fail.PINWrong, fail.PINFormat, fail.PINLocked, fail.PINUnknown, fail.PINLastTry} {
		if errors.Is(e, known) {
			return true
		}
	}
	return false
}

func (r *Reader) perform(req *http.Request, h *held) error {
	pin, err := card.NormalizeDigits(req.PostFormValue("pin"))
	if err != nil {
		return err
	}
	return r.withCard(req.Context(), req.PathValue("persona"), func(c *card.Card) error {
		secrets := agent.Secrets{PIN: pin, CardInfoPIN: append([]byte(nil), pin...)}
		asks, err := h.session.NeedsPassword(req.Context(), c)
		if err != nil {
			return err
		}
		if asks {
			if secrets.Password, err = card.NormalizePassword(req.PostFormValue("password")); err != nil {
				return err
			}
		}
		if err := lastTry(req, c, asks); err != nil {
			return err
		}
		code, err := h.session.Perform(req.Context(), c, secrets)
		if err != nil {
			return err
		}
		return h.back.Complete(code)
	})
}

// lastTry demands a second confirmation before a counter that stands at one is risked.
func lastTry(req *http.Request, c *card.Card, password bool) error {
	pins := []card.PIN{card.AuthPIN}
	if password {
		pins = append(pins, card.SignPassword)
	}
	for _, p := range pins {
		left, err := c.Tries(req.Context(), p)
		if err != nil {
			return err
		}
		if left == 1 && req.PostFormValue("confirm_last") != "yes" {
			return fail.PINLastTry.Left(1)
		}
	}
	return nil
}
