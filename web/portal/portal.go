// Package portal serves the pages on which a person sees what is known of her and done in her name, and ends it.
// It reads, asks idp/person, and fills pages. It refuses to know logins: who has no session is sent through the same one
// as everybody else.
package portal

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/idp"
	"tegata/idp/person"
	"tegata/storage"
	"tegata/web/show"
	"tegata/web/ui"
)

// Handler serves /me.
type Handler struct {
	IDP  *idp.Provider
	Desk *person.Desk
	Show *show.Show
}

// Mount puts the routes next to their code. do adapts handlers that return errors.
func (h *Handler) Mount(r gin.IRoutes, do func(func(*gin.Context) error) gin.HandlerFunc) {
	r.GET(show.OwnPath, do(h.page))
	r.POST(show.OwnPath+"/login", do(h.login))
	r.GET(show.OwnPath+"/ask/:act", do(h.ask))
	r.GET(show.OwnPath+"/history.json", do(h.export))
	r.POST(show.OwnPath+"/keep", do(h.keep))
	for act, a := range h.acts() {
		r.POST(show.OwnPath+"/"+string(act), do(h.doing(act, a)))
	}
}

// act is how one thing is asked about and done. id comes from the form, and may be anything.
type act struct {
	about func(c *gin.Context, own storage.Session, id string) (what string, err error)
	do    func(c *gin.Context, own storage.Session, id string) error
	fresh bool // needs the card to have been used just now
}

func (h *Handler) acts() map[ui.Act]act {
	return map[ui.Act]act{
		ui.EndOne:     {about: h.aboutSession, do: h.endOne},
		ui.EndAll:     {about: aboutNothing, do: h.endAll},
		ui.TakeBack:   {about: h.aboutService, do: h.takeBack},
		ui.Forget:     {about: aboutNothing, do: h.forget},
		ui.ForgetHere: {about: aboutNothing, do: h.forgetHere},
		ui.StopLatest: {about: h.aboutLatest, do: h.stopLatest},
		ui.Delete:     {about: aboutNothing, do: h.deleteAccount, fresh: true},
	}
}

func aboutNothing(*gin.Context, storage.Session, string) (string, error) { return "", nil }

// session is the live session of the browser. fail.LoginRequired.
func (h *Handler) session(c *gin.Context) (storage.Session, error) {
	b := h.Show.Known(c.Request)
	if !b.HasSession {
		return storage.Session{}, fail.LoginRequired
	}
	return h.Desk.Session(c.Request.Context(), b.Session)
}

func (h *Handler) page(c *gin.Context) error {
	frames, err := h.farewells(c)
	if err != nil {
		return err
	}
	own, err := h.session(c)
	if errors.Is(err, fail.LoginRequired) {
		h.Show.UI.Render(c.Writer, c.Request, http.StatusOK, ui.OwnSignInPage{Done: done(c), Frames: frames, Action: show.OwnPath + "/login"})
		return nil
	}
	if err != nil {
		return err
	}
	p := ui.OwnPage{Done: done(c), Frames: frames, Ask: show.OwnPath + "/ask/"}
	for _, fill := range []func(*gin.Context, storage.Session, *ui.OwnPage) error{h.sessions, h.services, h.latest, h.memory, h.history} {
		if err := fill(c, own, &p); err != nil {
			return err
		}
	}
	h.Show.UI.Render(c.Writer, c.Request, http.StatusOK, p)
	return nil
}

// done is what the redirect after an act says was done.
func done(c *gin.Context) ui.Act {
	for _, a := range ui.Acts {
		if c.Query("done") == string(a) {
			return a
		}
	}
	return ""
}

// login starts the card login that leads back here.
func (h *Handler) login(c *gin.Context) error {
	step, err := h.IDP.BeginOwn(c.Request.Context(), h.Show.Browser(c.Writer, c.Request))
	if err != nil {
		return err
	}
	h.Show.Step(c.Writer, c.Request, step)
	return nil
}

// ask is the page before an act. It only reads.
func (h *Handler) ask(c *gin.Context) error {
	name := ui.Act(c.Param("act"))
	a, ok := h.acts()[name]
	if !ok {
		return fail.NotFound
	}
	own, err := h.session(c)
	if err != nil {
		return h.outside(c, err)
	}
	if a.fresh && !h.Desk.Fresh(own) {
		h.Show.UI.Render(c.Writer, c.Request, http.StatusOK, ui.OwnSignInPage{Again: true, Action: show.OwnPath + "/login"})
		return nil
	}
	id := c.Query("id")
	what, err := a.about(c, own, id)
	if err != nil {
		return err
	}
	h.Show.UI.Render(c.Writer, c.Request, http.StatusOK, ui.OwnAskPage{
		Act: name, ID: id, What: what, Action: show.OwnPath + "/" + string(name), BackURL: show.OwnPath})
	return nil
}

// doing does an act and shows the pages again. The same-origin check in front makes it the person's word.
func (h *Handler) doing(name ui.Act, a act) func(*gin.Context) error {
	return func(c *gin.Context) error {
		own, err := h.session(c)
		if err != nil {
			return h.outside(c, err)
		}
		if a.fresh && !h.Desk.Fresh(own) { // the question says what to do
			show.SeeOther(c.Writer, c.Request, ui.KeepLang(c.Request, show.OwnPath+"/ask/"+string(name)))
			return nil
		}
		if err := a.do(c, own, c.PostForm("id")); err != nil {
			return err
		}
		h.again(c, name)
		return nil
	}
}

// again shows the pages once more, and what was done.
func (h *Handler) again(c *gin.Context, done ui.Act) {
	show.SeeOther(c.Writer, c.Request, ui.KeepLang(c.Request, show.OwnPath+"?done="+string(done)))
}

// outside sends somebody whose session has ended meanwhile to the door.
func (h *Handler) outside(c *gin.Context, err error) error {
	if !errors.Is(err, fail.LoginRequired) {
		return err
	}
	show.SeeOther(c.Writer, c.Request, ui.KeepLang(c.Request, show.OwnPath))
	return nil
}
