package portal

import (
	"time"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/storage"
	"tegata/web/show"
	"tegata/web/ui"
)

func (h *Handler) latest(c *gin.Context, own storage.Session, p *ui.OwnPage) error {
	all, err := h.Desk.Latest(c.Request.Context(), own)
	if err != nil {
		return err
	}
	lang := ui.Lang(c.Request, nil)
	for _, l := range all {
		p.Latest = append(p.Latest, ui.OwnLatest{
			ID: l.ID, Name: show.Name(l.Client, lang), Items: known(l.Items), Given: l.Given, Until: l.LastDay.Format(time.DateOnly), Near: l.Near, Over: l.Over})
	}
	return nil
}

func (h *Handler) aboutLatest(c *gin.Context, own storage.Session, id string) (string, error) {
	all, err := h.Desk.Latest(c.Request.Context(), own)
	if err != nil {
		return "", err
	}
	for _, l := range all {
		if l.ID == id {
			return show.Name(l.Client, ui.Lang(c.Request, nil)), nil
		}
	}
	return "", fail.NotFound
}

func (h *Handler) stopLatest(c *gin.Context, own storage.Session, id string) error {
	return h.Desk.StopLatest(c.Request.Context(), own, id)
}
