package portal

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/claims"
	"tegata/idp/person"
	"tegata/storage"
	"tegata/web/show"
	"tegata/web/ui"
)

func (h *Handler) services(c *gin.Context, own storage.Session, p *ui.OwnPage) error {
	all, err := h.Desk.Services(c.Request.Context(), own)
	if err != nil {
		return err
	}
	lang := ui.Lang(c.Request, nil)
	for _, s := range all {
		p.Services = append(p.Services, ui.OwnService{
			ID: s.Client.ID, Name: show.Name(s.Client, lang), Host: host(s.Client), Purpose: show.Purpose(s.Client, lang),
			Items: known(s.Consent.Items), Given: s.Consent.GivenAt})
	}
	return nil
}

// host is where the site is, if it said so.
func host(c storage.Client) string {
	u, err := url.Parse(c.URI)
	if err != nil || u.Host == "" {
		return c.Sector
	}
	return u.Host
}

// known are the names for which the pages have words.
func known(items []string) []string {
	return slices.DeleteFunc(slices.Clone(items), func(i string) bool {
		return i != claims.ScopeOffline && i != claims.Unverified && !slices.Contains(claims.Catalogue(), claims.Item(i))
	})
}

func (h *Handler) aboutService(c *gin.Context, own storage.Session, id string) (string, error) {
	all, err := h.Desk.Services(c.Request.Context(), own)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(s person.Service) bool { return s.Client.ID == id })
	if i < 0 {
		return "", fail.NotFound
	}
	return show.Name(all[i].Client, ui.Lang(c.Request, nil)), nil
}

func (h *Handler) takeBack(c *gin.Context, own storage.Session, id string) error {
	return h.Desk.TakeBack(c.Request.Context(), own, id)
}

// shown is how many lines of the history the page shows; the file has all.
const shown = 20

func (h *Handler) history(c *gin.Context, own storage.Session, p *ui.OwnPage) error {
	entries, err := h.Desk.History(c.Request.Context(), own)
	if err != nil {
		return err
	}
	days, err := h.Desk.Kept(c.Request.Context(), own)
	if err != nil {
		return err
	}
	lang := ui.Lang(c.Request, nil)
	for _, e := range entries[:min(shown, len(entries))] {
		p.History = append(p.History, ui.OwnEntry{
			At: e.At, Name: show.Name(storage.Client{Name: e.Name, NameJa: e.NameJa}, lang), Items: known(e.Items),
			Card: slices.Contains(e.Method, "mnc"), Outcome: e.Outcome})
	}
	for _, d := range storage.KeepDays {
		p.Keep = append(p.Keep, ui.OwnDays{Days: d, Current: d == days})
	}
	p.More, p.Export, p.KeepAct = len(entries) > shown, show.OwnPath+"/history.json", show.OwnPath+"/keep"
	return nil
}

// export is the whole history as a file.
func (h *Handler) export(c *gin.Context) error {
	own, err := h.session(c)
	if err != nil {
		return h.outside(c, err)
	}
	entries, err := h.Desk.History(c.Request.Context(), own)
	if err != nil {
		return err
	}
	header := c.Writer.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="tegata-history.json"`)
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	c.Writer.WriteHeader(http.StatusOK)
	e := json.NewEncoder(c.Writer)
	e.SetIndent("", "  ")
	_ = e.Encode(entries) // the reader is gone: nobody is left to tell
	return nil
}

func (h *Handler) keep(c *gin.Context) error {
	own, err := h.session(c)
	if err != nil {
		return h.outside(c, err)
	}
	days, err := strconv.Atoi(c.PostForm("days"))
	if err != nil {
		return fail.BadInput.At("days")
	}
	if err := h.Desk.Keep(c.Request.Context(), own, days); err != nil {
		return err
	}
	h.again(c, ui.Keep)
	return nil
}

func (h *Handler) deleteAccount(c *gin.Context, own storage.Session, _ string) error {
	knew, err := h.Desk.DeleteAccount(c.Request.Context(), own)
	if err != nil {
		return err
	}
	h.Show.DropSession(c.Writer)
	h.Show.Keep(c.Writer, h.IDP.Farewells(knew, own.ID))
	return nil
}
