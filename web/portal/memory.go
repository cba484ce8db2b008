package portal

import (
	"github.com/gin-gonic/gin"

	"tegata/authn"
	"tegata/storage"
	"tegata/web/ui"
)

func (h *Handler) memory(c *gin.Context, own storage.Session, p *ui.OwnPage) error {
	var hint *authn.Secret
	if b := h.Show.Known(c.Request); b.HasHint {
		hint = &b.Hint
	}
	m, err := h.Desk.Memory(c.Request.Context(), own, hint)
	if err != nil || m == nil {
		return err
	}
	p.Memory = &ui.OwnMemory{Source: string(m.Source), Until: m.Until, Here: m.Here}
	for _, i := range m.Items {
		p.Memory.Items = append(p.Memory.Items, string(i))
	}
	return nil
}

func (h *Handler) forget(c *gin.Context, own storage.Session, _ string) error {
	return h.Desk.Forget(c.Request.Context(), own)
}

func (h *Handler) forgetHere(c *gin.Context, _ storage.Session, _ string) error {
	if b := h.Show.Known(c.Request); b.HasHint {
		if err := h.Desk.ForgetHere(c.Request.Context(), b.Hint); err != nil {
			return err
		}
	}
	h.Show.DropHint(c.Writer)
	return nil
}
