package cards

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/statement"
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
		w, err := wanted(req, h, c)
		if err != nil {
			return err
		}
		secrets, err := w.entries(req, pin)
		if err != nil {
			return err
		}
		if err := w.lastTry(req, c); err != nil {
			return err
		}
		code, err := h.session.Perform(req.Context(), c, secrets)
		if err != nil {
			return err
		}
		return h.back.Complete(code)
	})
}

// wants are the secrets, besides the authentication PIN, that a login wants of a card.
type wants struct {
	password bool // of the signature certificate
	printed  bool // verification number B
	choice   bool // the person could choose it
}

// wanted asks the card. The printed numbers open the four attributes where the person has chosen them, there or here, and
// where the PIN is locked.
func wanted(req *http.Request, h *held, c *card.Card) (wants, error) {
	from, err := h.session.Source(req.Context(), c)
	if err != nil || from != statement.CardInfo {
		return wants{password: from == statement.SignatureCertificate}, err
	}
	ways := h.session.Opens()
	if !slices.Contains(ways, card.NumberB) {
		return wants{}, nil
	}
	left, err := c.Tries(req.Context(), card.CardInfoPIN)
	chosen := ways[0] == card.NumberB || left == 0 || req.FormValue("with") == statement.NumberB
	return wants{printed: chosen, choice: !chosen}, err
}

// entries are what the form brings. Here one PIN opens login and card-info application, as on most cards.
func (w wants) entries(req *http.Request, pin []byte) (agent.Secrets, error) {
	secrets := agent.Secrets{PIN: pin, CardInfoPIN: append([]byte(nil), pin...)}
	var err error
	if w.password {
		if secrets.Password, err = card.NormalizePassword(req.PostFormValue("password")); err != nil {
			return agent.Secrets{}, err
		}
	}
	if w.printed {
		for _, part := range card.NumberBParts {
			digits, err := card.NormalizePrinted(part, req.PostFormValue(partName(part)))
			if err != nil {
				return agent.Secrets{}, err
			}
			secrets.NumberB = append(secrets.NumberB, digits...)
		}
	}
	return secrets, nil
}

// partName is the form's name for a printed number.
func partName(p card.Printed) string { return fmt.Sprintf("printed_%d", p) }

// lastTry demands a second confirmation before a counter that stands at one is risked.
func (w wants) lastTry(req *http.Request, c *card.Card) error {
	pins := []card.PIN{card.AuthPIN}
	if w.password {
		pins = append(pins, card.SignPassword)
	}
	if w.printed {
		pins = append(pins, card.NumberB)
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
