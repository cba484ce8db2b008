package op_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/statement"
	"tegata/idp/clients"
	"tegata/storage"
)

func TestARequestBeyondThePolicyIsRefusedBeforeAnyoneIsAsked(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Policy: storage.ClientPolicy{
		Items: map[string]storage.ItemPolicy{"birthdate": {}, "age_over_65": {}}}, Scope: "openid birthdate age_over_65"})
	for scope, want := range map[string]string{
		"openid age_over_65":             "",
		"openid birthdate":               "",
		"openid age_over_20":             "",
		"openid birthdate age_over_65":   "invalid_scope",
		"openid age_over_18 age_over_65": "invalid_scope",
		"openid name":                    "invalid_scope",
	} {
		r := shop.Request("scope=" + scope)
		if p := w.NewBrowser().Get(r.URL()); want == "" {
			if p.Form("/start").Action == "" {
				t.Errorf("%s: %d %s, away %v", scope, p.Status, p.Code, p.Away)
			}
		} else if got := w.Answered(p, r); got.Get("error") != want || got.Get("state") != r.State {
			t.Errorf("%s: %v", scope, got)
		}
		if pushed, _ := shop.Push(r); pushed.Error != want || want != "" && pushed.Status != http.StatusBadRequest {
			t.Errorf("%s, pushed: %d %s", scope, pushed.Status, pushed.Body)
		}
	}
}

func TestThePageShowsWhatWasAgreed(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid name age_over_18", Policy: storage.ClientPolicy{
		Items: map[string]storage.ItemPolicy{
			"name": {Purpose: "To write it on the parcel.", PurposeJa: "荷物に書くため"}, "age_over_18": {Purpose: "To sell <knives>."}},
		Retention: "Ninety days.", RetentionJa: "九十日"}})
	page := func(lang string) string {
		p := w.Present(w.NewBrowser(), shop.Request("ui_locales="+lang), "taro")
		if p.Form("/consent").Action == "" {
			t.Fatalf("no consent page: %d %s", p.Status, p.Code)
		}
		return p.Body
	}
	for lang, want := range map[string][]string{
		"en": {"To write it on the parcel.", "To sell &lt;knives&gt;.", "Ninety days."},
		"ja": {"荷物に書くため", "To sell &lt;knives&gt;.", "九十日"}, // the only language that the purpose has
	} {
		body := page(lang)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: the page does not say %q", lang, text)
			}
		}
	}
}

// The floor under a client's facts holds for the agent that is told, for the one that does not listen, and for the session.
func TestFactsFromBelowTheFloorAreNotUsed(t *testing.T) {
	w := open(t)
	bank := w.Register(clients.Metadata{ClientID: "bank", Policy: storage.ClientPolicy{Source: statement.SignatureCertificate}})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	if _, err := w.UseCard(w.Approach(w.NewBrowser(), bank.Request()).Launch, "child"); !errors.Is(err, fail.SignCertMissing) {
		t.Errorf("a card without the certificate: %v", err)
	}
	told := w.Claim(w.Approach(w.NewBrowser(), bank.Request()).Launch)
	if got := told.Context.Sources; len(got) != 1 || got[0] != statement.SignatureCertificate {
		t.Errorf("the agent is told %v", got)
	}
	result := told.Honest("taro")
	result.Attributes, result.CardInfo = "", &agent.CardInfo{}
	if code, refusal := told.Result(result); code != "" || refusal != fail.StatementMismatch.Code {
		t.Errorf("card info all the same: %q %s", code, refusal)
	}
	b := w.NewBrowser()
	w.Login(b, shop.Request(), "child") // card info is good enough there
	if p := b.Get(bank.Request().URL()); p.Form("/start").Action == "" {
		t.Errorf("the session's facts are used: %d %s, away %v", p.Status, p.URL.Path, p.Away)
	}
	if p := b.Get(bank.Request("scope=openid").URL()); p.Form("/consent").Action == "" {
		t.Errorf("who asks for no facts gets none of the session: %d %s", p.Status, p.URL.Path)
	}
	w.Login(b, shop.Request("prompt=login"), "taro")
	if p := b.Get(bank.Request().URL()); p.Form("/consent").Action == "" {
		t.Errorf("facts of the certificate are not used: %d %s", p.Status, p.URL.Path)
	}
}

// An age by the day is reached on the day before the birthday, at the client it was agreed with and nowhere else.
func TestAnAgeByTheDay(t *testing.T) {
	w := open(t)
	dayAhead := func() time.Time { return w.Town.Clock.Now().In(time.FixedZone("JST", 9*60*60)).AddDate(0, 0, 1) }
	tomorrow := dayAhead()
	if tomorrow.Month() == time.February && tomorrow.Day() == 29 { // nobody was born on that day eighteen years before
		w.Town.Clock.Advance(24 * time.Hour)
		tomorrow = dayAhead()
	}
	person := members(t, string(everything))
	person["birthdate"] = tomorrow.AddDate(-18, 0, 0).Format(time.DateOnly)
	file, err := json.Marshal(person)
	if err != nil {
		t.Fatal(err)
	}
	w.Town.Settle(t, "almost18", file)
	byDay := w.Register(clients.Metadata{ClientID: "election", Policy: storage.ClientPolicy{ByDay: []string{"age_over_18"}}})
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	r := byDay.Request()
	if got := byDay.Claims(byDay.Exchange(w.Login(b, r, "almost18").Get("code"), r), r)["age_over_18"]; got != true {
		t.Errorf("by the day: %v", got)
	}
	r = shop.Request()
	if got := shop.Claims(shop.Exchange(w.Answer(b, r).Get("code"), r), r)["age_over_18"]; got != false {
		t.Errorf("elsewhere: %v", got)
	}
}
