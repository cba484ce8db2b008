package op_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tegata/idp/clients"
	"tegata/idp/idptest"
)

const aDay = 24 * time.Hour

// learned is what the ID token of an answer says of an age; nil when it says nothing.
func learned(t *testing.T, rp *idptest.RP, answer url.Values, r idptest.Request, name string) any {
	t.Helper()
	got := rp.Claims(rp.Exchange(answer.Get("code"), r), r)[name]
	if said := rp.Exchange(answer.Get("code"), r); said.Status == 200 {
		t.Fatal("a code worked twice")
	}
	return got
}

// A sector that asks a minor every day would see the birthday: it hears "no" on three days of thirty, then nothing.
func TestTheBirthdayIsNotFoundByAskingEveryDay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		shop := w.Register(clients.Metadata{ClientID: "shop"})
		ask := func() any {
			t.Helper()
			r := shop.Request("scope=openid age_over_18")
			return learned(t, shop, w.Login(w.NewBrowser(), r, "jiro17"), r, "age_over_18")
		}
		for day, want := range []any{false, false, false, nil, nil} {
			for range 2 { // the same day tells nothing new
				if got := ask(); got != want {
					t.Errorf("day %d: %v, want %v", day, got, want)
				}
			}
			w.Town.Clock.Advance(aDay)
		}
		if log := w.Log.String(); !strings.Contains(log, `"event":"asked_too_often","client":"shop"`) {
			t.Error("the operator hears nothing of it")
		}
		w.Town.Clock.Advance(25 * aDay)
		if got := ask(); got != false {
			t.Errorf("a month later: %v", got)
		}
	})
}

// untilEvening is how long it is until the next ten minutes to midnight in Japan: tomorrow's, where today's are over.
func untilEvening(now time.Time) time.Duration {
	const evening = aDay - 10*time.Minute
	today := time.Duration((now.Unix()+9*60*60)%(24*60*60)) * time.Second
	return (evening - today + aDay) % aDay
}

func TestTheEveningIsNeverInThePast(t *testing.T) {
	midnight := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	for at, want := range map[time.Duration]time.Duration{
		0: aDay - 10*time.Minute, aDay - 10*time.Minute: 0, aDay - 9*time.Minute: aDay - time.Minute, aDay - time.Second: aDay - 10*time.Minute + time.Second,
	} {
		if got := untilEvening(midnight.Add(at)); got != want {
			t.Errorf("%v after midnight: %v", at, got)
		}
	}
}

func TestANoIsNotAskedAgainWithoutTheCard(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop"})
	b := w.NewBrowser()
	r := shop.Request("scope=openid age_over_18", "max_age=90000")
	w.Town.Clock.Advance(untilEvening(w.Town.Clock.Now()))
	if got := learned(t, shop, w.Login(b, r, "jiro17"), r, "age_over_18"); got != false {
		t.Fatalf("the first answer is %v", got)
	}
	silent := func() any {
		t.Helper()
		r := shop.Request("scope=openid age_over_18", "prompt=none")
		return learned(t, shop, w.Answered(b.Get(r.URL()), r), r, "age_over_18")
	}
	if got := silent(); got != false {
		t.Errorf("on the same day: %v", got)
	}
	w.Town.Clock.Advance(20 * time.Minute)
	if got := silent(); got != nil {
		t.Errorf("after midnight: %v", got)
	}
}

// The clients of one sector learn together what one of them may learn.
func TestASectorHearsOfTwoAgesNotThree(t *testing.T) {
	w := open(t)
	ask := func(id, scope, name string) any {
		t.Helper()
		rp := w.Register(clients.Metadata{ClientID: id, Scope: "openid " + scope, RedirectURIs: []string{"https://games.example/" + id}})
		r := rp.Request("scope=openid " + name)
		return learned(t, rp, w.Login(w.NewBrowser(), r, "taro"), r, name)
	}
	for _, tc := range []struct {
		id, scope, name string
		want            any
	}{
		{"one", "age_over_18", "age_over_18", true},
		{"two", "age_over_25", "age_over_25", true},
		{"three", "age_over_65", "age_over_65", nil},
		{"four", "age_over_18 age_over_25 age_over_65", "age_over_65", false}, // an operator approved the three together
	} {
		if got := ask(tc.id, tc.scope, tc.name); got != tc.want {
			t.Errorf("%s: %s is %v, want %v", tc.id, tc.name, got, tc.want)
		}
	}
}

// What is asked but not agreed to is no answer.
func TestWhatStaysHereIsNotCounted(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", Scope: "openid age_over_18 age_over_20 age_over_25"})
	other := w.Register(clients.Metadata{ClientID: "other", Scope: "openid age_over_65", RedirectURIs: []string{"https://shop.example/other"}})
	b := w.NewBrowser()
	r := shop.Request("scope=openid age_over_18 age_over_20 age_over_25")
	form := w.Present(b, r, "taro").Form("/consent").Without("age_over_20").Without("age_over_25")
	if got := learned(t, shop, w.Answered(b.Submit(form, "decision=allow"), r), r, "age_over_18"); got != true {
		t.Fatalf("over 18 is %v", got)
	}
	r = other.Request("scope=openid age_over_65")
	if got := learned(t, other, w.Login(w.NewBrowser(), r, "taro"), r, "age_over_65"); got != false {
		t.Errorf("the second age that this sector hears of is %v", got)
	}
}

// A client that knows nobody by name cannot use that to ask without end.
func TestATransientClientIsToldNoMore(t *testing.T) {
	w := open(t)
	shop := w.Register(clients.Metadata{ClientID: "shop", SubjectType: "transient"})
	r := shop.Request("scope=openid age_over_18")
	for day, want := range []any{false, false, false, nil} {
		if got := learned(t, shop, w.Login(w.NewBrowser(), r, "jiro17"), r, "age_over_18"); got != want {
			t.Errorf("day %d: %v, want %v", day, got, want)
		}
		w.Town.Clock.Advance(aDay)
	}
}

// An age-only client hears no "no", but it would hear when the "yes" begins.
func TestAnAgeOnlyClientDoesNotFindTheBirthdayEither(t *testing.T) {
	onBoth(t, func(t *testing.T, w *idptest.World) {
		soon := w.Town.Clock.Now().In(time.FixedZone("JST", 9*60*60)).AddDate(-20, 0, 4)
		w.Town.Settle(t, "soon20", fmt.Appendf(nil, `{"name":"手形　そら","birthdate":%q}`, soon.Format(time.DateOnly)))
		rp := bar(w, nil)
		// With nothing to share there is no button to share it: she goes back, or closes the window.
		ask := func(decision string) string {
			t.Helper()
			_, r := pushed(t, rp)
			b := w.NewBrowser()
			p := w.Present(b, r, "soon20")
			if decision == "" {
				return "access_denied"
			}
			return w.Answered(b.Submit(p.Form("/consent"), "decision="+decision), r).Get("error")
		}
		for day, decision := range []string{"allow", "deny", "", "deny", "allow", "allow"} { // twenty from the fifth on
			if got := ask(decision); got != "access_denied" {
				t.Errorf("day %d: %q", day, got)
			}
			w.Town.Clock.Advance(aDay)
		}
		w.Town.Clock.Advance(30 * aDay)
		if got := ask("allow"); got != "" {
			t.Errorf("a month later: %q", got)
		}
	})
}
