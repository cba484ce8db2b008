package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"tegata/authn/fail"
	"tegata/claims/mynumber"
	"tegata/web/show"
)

// maxForm is more than any form of ours has, in bytes: an id_token_hint is the longest field.
const maxForm = 32 << 10

// returned are fields that hold a relying party's own text, which a page of ours carries along.
var returned = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}

// noMyNumber refuses a form with a My Number in any field (R1): people paste it where a card is spoken of. The value is
// neither shown again nor logged; the answer names the field.
func noMyNumber(s *show.Show) gin.HandlerFunc {
	return func(g *gin.Context) {
		if g.Request.Method != http.MethodPost {
			return
		}
		g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, maxForm)
		if err := g.Request.ParseForm(); err != nil {
			s.Error(g.Writer, g.Request, fail.BadInput.At("form").Because(err))
			g.Abort()
			return
		}
		for name, values := range g.Request.PostForm {
			if !slices.Contains(returned, name) && slices.ContainsFunc(append(values, name), isMyNumber) {
				s.Error(g.Writer, g.Request, fail.MyNumberRefused.At(fieldName(name)))
				g.Abort()
				return
			}
		}
	}
}

// fieldName is what an answer may call a field: a name of ours, since the sender chose the others.
func fieldName(name string) string {
	if slices.Contains([]string{"item", "decision"}, name) {
		return name
	}
	return "form"
}

func isMyNumber(text string) bool {
	_, found := mynumber.Find(text)
	return found
}
