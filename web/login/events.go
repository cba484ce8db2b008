package login

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"tegata/idp"
	"tegata/web/show"
	"tegata/web/ui"
)

const (
	// pollEvery is how often the stream looks at the database: another replica may move the login.
	pollEvery = 2 * time.Second
	// streamLife ends a stream; the browser opens the next one by itself.
	streamLife = 2 * time.Minute
)

// events tells the waiting page how the login goes (server-sent events). The page works without it, by refreshing.
func (h *Handler) events(c *gin.Context) error {
	ctx, id, browser := c.Request.Context(), c.Param("id"), h.Show.Known(c.Request)
	step, err := h.IDP.Resume(ctx, id, browser)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	lang := ui.Lang(c.Request, step.Login.Request.UILocales)
	last := ""
	for end := time.Now().Add(streamLife); time.Now().Before(end) && ctx.Err() == nil; {
		if err != nil || step.Show != idp.ShowWait {
			h.send(c, "go", map[string]string{"url": target(c.Request, step, id)})
			return nil
		}
		code := h.Show.Progress(step.Login)
		if now := fmt.Sprint(code, step.Login.Tries); now != last {
			last = now
			h.send(c, "progress", map[string]string{
				"code": code, "text": h.Show.UI.Progress(lang, code, step.Login.Tries), "number": step.Login.Number})
		}
		step, err = h.IDP.Watch(ctx, id, browser, step.Login.Version, pollEvery)
	}
	return nil
}

// target is where the page goes when waiting is over: to the agent, or to its own address for what comes next.
func target(r *http.Request, step idp.Step, id string) string {
	if step.Show == idp.ShowReturn {
		return step.Login.ReturnTo
	}
	return ui.KeepLang(r, show.LoginPath(id))
}

func (h *Handler) send(c *gin.Context, event string, data map[string]string) {
	body, err := json.Marshal(data)
	if err != nil {
		return // strings always encode
	}
	_, _ = fmt.Fprintf(c.Writer, "event: %s\ndata: %s\n\n", event, body) // a gone browser ends the context
	c.Writer.Flush()
}
