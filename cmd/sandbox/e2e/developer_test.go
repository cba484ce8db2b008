package e2e_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

// An integrator opens the link that the sandbox prints, makes a mistake, reads what it was, and hands it on.
func TestAnIntegratorReadsWhatWentWrong(t *testing.T) {
	t.Parallel()
	if err := os.MkdirAll(gallery, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"ja", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w, p := start(t, "--clients", clientsFile(t, `[{"client_id": "strict", "client_name": "Strict", "scope": "openid age_over_18",
				"redirect_uris": ["http://127.0.0.1:8000/callback"]}]`)), newPerson(t, lang)
			p.open(w.Developers["strict"])
			p.see("body.page-message")
			p.picture("developer", lang)

			p.open(w.authorize("strict", url.Values{"redirect_uri": {"http://127.0.0.1:8000/Callback"}}))
			p.see("#explain mark")
			p.picture("error-redirect-explained", lang)

			p.open(w.authorize("strict", url.Values{"scope": {"openid name gender"}}))
			p.see("#explain")
			if got, fits := p.text("#explain-got"), strings.Join(p.texts(".explain-fits"), " "); got != "name gender" || fits != "openid age_over_18" {
				t.Errorf("it says that %q was sent and that %q goes", got, fits)
			}
			p.picture("error-scope-explained", lang)
			if to := ask[string](p, `document.querySelector("#onward").href`); !strings.HasPrefix(to, "http://127.0.0.1:8000/callback?error=invalid_scope&") {
				t.Errorf("it hands on to %s", to)
			}

			p.open(w.authorize("strict", url.Values{"code_challenge": nil, "response_mode": {"form_post"}}))
			p.see("button#onward")
			p.picture("error-pkce-explained", lang)
		})
	}
}
