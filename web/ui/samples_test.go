package ui

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tegata/authn/fail"
)

// samples are pages with every optional part filled in; name stands wherever a site's name goes.
func samples(name string) map[string]Page {
	ask := CardAsk{RPName: name, RPHost: "shop.example", Provider: "login.example", Number: "42", Purpose: name, Items: []string{"age_over_20", "address"}}
	face := CardFace{Persona: "taro", Title: name, Name: name, Birth: "1990-04-01", Status: "revoked"}
	back := []string{"https://shop.example/callback"}
	return map[string]Page{
		"login": LoginPage{RPName: name, RPHost: "shop.example", ProviderHost: "login.example", Purpose: name,
			Items:          []ItemLine{{Key: "age_over_18"}, {Key: "age_over_20"}, {Key: "name", Optional: true}, {Key: "address"}, {Key: "birthdate"}, {Key: "gender"}},
			ReadsSignature: true, ReadsCardInfo: true, Unverified: true, Printable: true, OtherWay: true, StartAction: "/login/a/start", CancelAction: "/login/a/cancel", FormTargets: back},
		"login, once": LoginPage{RPName: name, RPHost: "shop.example", ProviderHost: "login.example", Items: []ItemLine{{Key: "age_over_20", Purpose: name}}, OnlyYes: true, Transient: true,
			ReadsSignature: true, StartAction: "/login/a/start", CancelAction: "/login/a/cancel", FormTargets: back},
		"login, remembered": LoginPage{RPName: name, RPHost: "shop.example", ProviderHost: "login.example", Items: []ItemLine{{Key: "age_over_20"}}, Remembered: true, Again: true,
			ForgetAction: "/login/a/forget", StartAction: "/login/a/start", CancelAction: "/login/a/cancel", FormTargets: back},
		"consent, once": ConsentPage{RPName: name, RPHost: "shop.example", Transient: true, OnlyYes: true, Action: "/login/a/consent", FormTargets: back,
			Items: []ConsentItem{{Key: "age_over_20", Value: "true", Available: true, Required: true, Purpose: name, ByDay: true}}},
		"consent, nothing": ConsentPage{RPName: name, RPHost: "shop.example", Transient: true, OnlyYes: true, Action: "/login/a/consent", FormTargets: back,
			Items: []ConsentItem{{Key: "age_over_20", Required: true}}},
		"wait": WaitPage{RPName: name, RPHost: "shop.example", LaunchURL: "tegata:abc", ProgressKey: "agent_not_seen", Tries: fail.NoTries,
			Printable: true, Events: "/login/a/events", Refresh: "/login/a", RestartAction: "/login/a/start", CancelAction: "/login/a/cancel", FormTargets: back},
		"wait, verified": WaitPage{RPName: name, RPHost: "shop.example", Number: "42", ProgressKey: "returning", Tries: 2, Events: "/login/a/events",
			RestartAction: "/login/a/start", CancelAction: "/login/a/cancel", ContinueURL: "http://127.0.0.1:40000/r/abc"},
		"consent": ConsentPage{RPName: name, RPHost: "shop.example", Purpose: name, NotSent: []string{"name", "gender"}, Action: "/login/a/consent", FormTargets: back, Offline: true, Verified: true, Retention: name, Memorable: true,
			Items: []ConsentItem{
				{Key: "age_over_18", Value: "true", Available: true, Required: true, Verified: true},
				{Key: "address", Value: name, Available: true, Checked: true, Verified: true, Purpose: name},
				{Key: "birthdate", Value: "1990-04-01", Available: true, Needed: true},
				{Key: "gender"},
			}},
		"consent, unverified": ConsentPage{RPName: name, RPHost: "shop.example", Unverified: true, Action: "/login/a/consent", FormTargets: back,
			Items: []ConsentItem{{Key: "name", Value: name, Available: true, Checked: true}, {Key: "birthdate", Value: "1990-04-01", Available: true, Checked: true}}},
		"consent, renewed": ConsentPage{RPName: name, RPHost: "shop.example", CardEnds: "2027-02-17", LatestEnds: "2027-01-31", Renewable: true, Action: "/login/a/consent", FormTargets: back,
			Items: []ConsentItem{{Key: "age_over_20", Value: "true", Available: true, Required: true}}},
		"error": ErrorPage{Err: fail.PINLocked.Left(0).At("pin"), Incident: "I-1", Time: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC),
			BackURL: "https://shop.example/", RetryURL: "/login/a"},
		"login, own":      LoginPage{RPName: name, RPHost: "login.example", Own: true, StartAction: "/login/a/start", CancelAction: "/login/a/cancel"},
		"mesignin":        OwnSignInPage{Done: EndAll, Action: "/me/login"},
		"mesignin, again": OwnSignInPage{Again: true, Action: "/me/login"},
		"me, bare":        OwnPage{Ask: "/me/ask/"},
		"me": OwnPage{Services: []OwnService{{ID: "shop", Name: name, Host: "shop.example", Purpose: name, Items: []string{"name"}}, {ID: "b", Name: name}},
			Memory:  &OwnMemory{Items: []string{"name", "gender"}, Source: "signature_certificate", Until: time.Unix(1e9, 0), Here: true},
			History: []OwnEntry{{Name: name, Items: []string{"name"}, Card: true, Outcome: "shared"}, {Name: name, Items: []string{"name"}, Outcome: "shared_unverified"}, {Name: name, Outcome: "signed_in"}, {Name: name, Outcome: "declined"}},
			More:    true, Export: "/me/history.json", Keep: []OwnDays{{730, true}, {30, false}}, KeepAct: "/me/keep",
			Done: EndOne, Ask: "/me/ask/", Sessions: []OwnSession{{ID: "a", Browser: name, Since: time.Unix(1e9, 0), Used: time.Unix(1e9, 0), Current: true}, {ID: "b"}}},
		"latest": LatestPage{RPName: name, RPHost: "shop.example", Purpose: name, Items: []ItemLine{{Key: "name", Purpose: name}, {Key: "address"}},
			Until: "2036-11-21", Earlier: "2026-12-24", Said: []string{"name", "address"}, Remember: true, Texts: "en-A", Action: "/login/a/consent", FormTargets: back},
		"latest, first": LatestPage{RPName: name, RPHost: "shop.example", Items: []ItemLine{{Key: "address"}}, Until: "2036-11-21", Action: "/login/a/consent", FormTargets: back},
		"me, changes": OwnPage{Ask: "/me/ask/", Latest: []OwnLatest{{ID: "a", Name: name, Items: []string{"address"}, Until: "2036-11-21", Near: true}, {ID: "b", Name: name, Until: "2026-11-21", Over: true}},
			History: []OwnEntry{{Name: name, Items: []string{"address"}, Outcome: "updated"}}},
		"meask":            OwnAskPage{Act: EndOne, ID: "a", What: name, Action: "/me/end", BackURL: "/me"},
		"signout":          SignOutPage{RPName: name, Action: "/signout", Fields: [][2]string{{"state", name}}},
		"signout, alone":   SignOutPage{Action: "/signout"},
		"signout, relay":   SignOutPage{RPName: name, Relay: true, Action: "/end_session", FormTargets: back, Fields: [][2]string{{"state", name}}},
		"signedout":        SignedOutPage{RPName: name, ReturnURL: "https://shop.example/bye"},
		"signedout, bare":  SignedOutPage{ReturnURL: "/"},
		"mesignin, frames": OwnSignInPage{Done: EndAll, Action: "/me/login", Frames: []string{"https://shop.example/out?iss=x&sid=1"}},
		"signedout, frames": SignedOutPage{RPName: name, ContinueURL: "https://shop.example/bye?state=1", Frames: []string{
			"https://shop.example/out?iss=x&sid=1", "http://127.0.0.1:9001/out?iss=x&sid=2", "https://shop.example/out?iss=x&sid=3"}},
		"formpost":       FormPostPage{RPName: name, Action: "https://shop.example/callback", Fields: [][2]string{{"code", name}, {"submit", "1"}}},
		"formpost, bare": FormPostPage{Action: "https://shop.example/callback"},
		"done":           MessagePage{Topic: Done},
		"cancelled":      MessagePage{Topic: Cancelled},
		"home":           MessagePage{Topic: Home},
		"developer":      MessagePage{Topic: Developer},
		"error, explained": ErrorPage{Err: fail.RedirectURIMismatch.At("redirect_uri"), Explain: Explain("shop", "redirect_uri", "https://shop.example/Callback?"+name,
			[]string{"https://shop.example/callback", "https://shop.example/"})},
		"error, waiting": ErrorPage{Err: fail.ScopeInvalid.At("scope"), Explain: &Explanation{Client: "shop", Field: "scope", Member: "scope",
			Got: Marked{Same: name}, Registered: []Marked{{Same: "openid"}, {Same: "age_over_18"}}, Onward: &Onward{URL: "https://shop.example/callback?error=invalid_scope"}}},
		"error, waiting with a form": ErrorPage{Err: fail.PKCERequired.At("code_challenge"), Explain: &Explanation{Client: "shop", Field: "code_challenge",
			Onward: &Onward{Action: "https://shop.example/callback", Fields: [][2]string{{"error", "invalid_request"}}}}},
		"cardpick at rest": CardPickPage{Cards: []CardFace{face}},
		"cardpick":         CardPickPage{CardAsk: ask, Cards: []CardFace{face, {Persona: "jiro", Status: "of an unknown kind"}}, Action: "/pick"},
		"cardpin, printed": CardPINPage{CardAsk: ask, Face: face, PINTries: 3, PrintedTries: 1, Printed: []CardPart{{"printed_1", "020401"}, {"printed_2", "2035"}, {"printed_3", "2285"}},
			Action: "/at/a/card/taro", BackURL: "/at/a"},
		"cardpin, choice": CardPINPage{CardAsk: ask, Face: face, PINTries: 3, PasswordTries: fail.NoTries, PrintedURL: "/at/a/card/taro?with=number_b", Action: "/at/a/card/taro", BackURL: "/at/a"},
		"cardpin": CardPINPage{CardAsk: ask, Face: face, AskPassword: true, PINTries: 1, PasswordTries: 5, ErrorCode: "pin_wrong",
			TestPIN: "1234", TestPassword: "ABC123", Action: "/pin", BackURL: "/cards"},
		"carddone": CardDonePage{},
	}
}

func mustNew(t testing.TB) *UI {
	t.Helper()
	u, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func draw(u *UI, lang string, page Page) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/page", nil)
	r.Header.Set("Accept-Language", lang)
	w := httptest.NewRecorder()
	u.Render(w, r, http.StatusOK, page)
	return w
}
