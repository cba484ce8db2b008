package portal

import (
	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/storage"
	"tegata/web/ui"
)

func (h *Handler) sessions(c *gin.Context, own storage.Session, p *ui.OwnPage) error {
	all, err := h.Desk.Sessions(c.Request.Context(), own)
	if err != nil {
		return err
	}
	for _, s := range all {
		p.Sessions = append(p.Sessions, ui.OwnSession{ID: s.ID, Browser: s.Browser, Since: s.CreatedAt, Used: s.SeenAt, Current: s.ID == own.ID})
	}
	return nil
}

func (h *Handler) aboutSession(c *gin.Context, own storage.Session, id string) (string, error) {
	all, err := h.Desk.Sessions(c.Request.Context(), own)
	if err != nil {
		return "", err
	}
	for _, s := range all {
		if s.ID == id {
			return s.Browser, nil
		}
	}
	return "", fail.NotFound
}

func (h *Handler) endOne(c *gin.Context, own storage.Session, id string) error {
	knew, err := h.Desk.EndSession(c.Request.Context(), own, id)
	if err != nil {
		return err
	}
	if id == own.ID {
		h.Show.DropSession(c.Writer)
	}
	h.Show.Keep(c.Writer, h.IDP.Farewells(knew, own.ID))
	return nil
}

func (h *Handler) endAll(c *gin.Context, own storage.Session, _ string) error {
	knew, err := h.Desk.EndSessions(c.Request.Context(), own)
	if err != nil {
		return err
	}
	h.Show.DropSession(c.Writer)
	h.Show.Keep(c.Writer, h.IDP.Farewells(knew, own.ID))
	return nil
}

// farewells are the pages of relying parties that this browser has to load after an act. They are said once.
func (h *Handler) farewells(c *gin.Context) ([]string, error) {
	if done(c) == "" {
		return nil, nil
	}
	return h.IDP.FarewellPages(c.Request.Context(), h.Show.Kept(c.Writer, c.Request))
}
