package web_test

import (
	"maps"
	"net/url"
	"testing"

	"tegata/authn/agent"
	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/idp/clients"
	"tegata/idp/idptest"
)

// refused brings evidence that is refused with want, and returns what the relying party hears of it.
func refused(t *testing.T, w *idptest.World, shop *idptest.RP, want string, evidence func(a *idptest.Agent) agent.ResultRequest) url.Values {
	t.Helper()
	b, r := w.NewBrowser(), shop.Request()
	page := w.Approach(b, r)
	a := w.Claim(page.Launch)
	if code, refusal := a.Result(evidence(a)); code != "" || refusal != want {
		t.Errorf("the agent hears %q %q, want %s", code, refusal, want)
	}
	if p := b.Get(page.URL.Path); p.Code != want || p.Away != nil {
		t.Errorf("the page says %d %s, away %v; want %s", p.Status, p.Code, p.Away, want)
	}
	if b.Cookie("ss") != "" {
		t.Error("a refused person has a session")
	}
	answer := w.Answered(b.Get(page.URL.Path+"/leave"), r)
	if answer.Get("state") != r.State || answer.Get("iss") != w.Issuer || answer.Has("code") {
		t.Errorf("the answer is %v", answer)
	}
	answer.Del("state")
	return answer
}

func of(persona string) func(a *idptest.Agent) agent.ResultRequest {
	return func(a *idptest.Agent) agent.ResultRequest { return a.Honest(persona) }
}

func by(m cardtest.Material) func(a *idptest.Agent) agent.ResultRequest {
	return func(a *idptest.Agent) agent.ResultRequest {
		login, attributes := a.Statements(m)
		return a.Sign(m, login, attributes)
	}
}

func TestTheRelyingPartyCannotTellWhyACardIsRefused(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	stranger, err := jpkitest.New(jpkitest.Options{Now: w.Town.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Equip(w.Town.Persona(t, "taro"))
	if err != nil {
		t.Fatal(err)
	}
	swapped := w.Town.Material(t, "taro")
	swapped.AuthKey, swapped.AuthCert = swapped.SignKey, swapped.SignCert
	crossed := w.Town.Material(t, "taro")
	crossed.SignKey, crossed.SignCert = crossed.AuthKey, crossed.AuthCert
	var first url.Values
	for _, tc := range []struct {
		name, code string
		evidence   func(a *idptest.Agent) agent.ResultRequest
	}{
		{"revoked", "certificate_revoked", of("revoked")},
		{"suspended", "certificate_suspended", of("suspended")},
		{"expired", "certificate_expired", of("expired")},
		{"of another authority", "chain_untrusted", by(forged)},
		{"the signature key in the place of the authentication key", "chain_untrusted", by(swapped)},
		{"the authentication key in the place of the signature key", "chain_untrusted", by(crossed)},
		{"an altered statement", "statement_mismatch", func(a *idptest.Agent) agent.ResultRequest {
			m := w.Town.Material(t, "taro")
			login, attributes := a.Statements(m)
			login.Client = "bank"
			return a.Sign(m, login, attributes)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer := refused(t, w, shop, tc.code, tc.evidence)
			if first == nil {
				first = answer
			}
			if answer.Get("error") != "access_denied" || !maps.EqualFunc(answer, first, func(a, b []string) bool { return a[0] == b[0] && len(a) == len(b) }) {
				t.Errorf("the relying party hears %v, and of another card %v", answer, first)
			}
		})
	}
}

func TestWithoutAFreshAnswerNobodyIsLetIn(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for _, fault := range []jpkitest.Fault{
		jpkitest.FaultOffline, jpkitest.FaultStale, jpkitest.FaultUnknown, jpkitest.FaultWrongKey, jpkitest.FaultNoNonce,
	} {
		t.Run(string(fault), func(t *testing.T) {
			w.Town.Break(t, fault)
			answer := refused(t, w, shop, "revocation_unavailable", of("taro"))
			if answer.Get("error") != "temporarily_unavailable" {
				t.Errorf("the relying party hears %v", answer)
			}
		})
	}
	w.Town.Break(t, jpkitest.FaultNone)
	if answer := w.Login(w.NewBrowser(), shop.Request(), "taro"); !answer.Has("code") {
		t.Errorf("after the fault: %v", answer)
	}
}

func TestALockedCardStaysAtTheAgent(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	page := w.Approach(b, shop.Request())
	if _, err := w.UseCard(page.Launch, "locked"); err == nil || err.Error() != "pin_locked" {
		t.Fatalf("the card says %v", err)
	}
	if p := b.Get(page.URL.Path); p.Launch == "" {
		t.Errorf("the person cannot try another card: %d %s", p.Status, p.Code)
	}
	again := b.Submit(page.Form("/start"))
	if _, err := w.UseCard(again.Launch, "taro"); err != nil {
		t.Errorf("another card: %v", err)
	}
}

func TestAnAgentCannotGiveUpForAReasonThatIsNone(t *testing.T) {
	w := open(t)
	b, r := w.NewBrowser(), w.Register(clients.Metadata{ClientID: "shop"}).Request()
	page := w.Approach(b, r)
	a := w.Claim(page.Launch)
	if status, _ := a.Call(agent.CancelPath, agent.CancelRequest{Login: a.Context.Login, Code: "made_up"}); status != 400 {
		t.Errorf("status %d", status)
	}
	if code, refusal := a.Result(a.Honest("taro")); code == "" {
		t.Errorf("the login did not go on: %s", refusal)
	}
}

func TestTheAgentGivesUp(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	for code, word := range map[string]string{"user_cancelled": "access_denied", "pin_locked": "access_denied"} {
		b, r := w.NewBrowser(), shop.Request()
		page := w.Approach(b, r)
		a := w.Claim(page.Launch)
		if status, body := a.Call(agent.CancelPath, agent.CancelRequest{Login: a.Context.Login, Code: code}); status != 204 {
			t.Errorf("%s: %d %s", code, status, body)
		}
		if answer := w.Answered(b.Get(page.URL.Path+"/leave"), r); answer.Get("error") != word {
			t.Errorf("%s: the relying party hears %v", code, answer)
		}
		if _, refusal := a.Result(a.Honest("taro")); refusal == "" {
			t.Errorf("%s: a result was taken afterwards", code)
		}
	}
}
