package provider_test

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/idp/clients"
	"tegata/idp/clients/fetch"
	"tegata/idp/idptest"
	"tegata/idp/op"
	"tegata/storage"
	"tegata/storage/storagetest"
)

const newsPeriod = time.Hour

// changing is a town whose provider reads the news of changes, and a relying party that hears of them.
type changing struct {
	*town
	rp     *idptest.RP
	ledger *revocation.Ledger

	mu    sync.Mutex
	heard []string
}

func (w *changing) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.heard = append(w.heard, string(body))
	w.mu.Unlock()
	rw.WriteHeader(http.StatusNoContent)
}

// onBothChanging runs a test on SQLite and on PostgreSQL.
func onBothChanging(t *testing.T, scope string, test func(t *testing.T, w *changing)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, openChanging(t, storagetest.SQLite(t), scope))
	})
	t.Run("postgres", func(t *testing.T) { test(t, openChanging(t, storagetest.Postgres(t), scope)) })
}

func openChanging(t *testing.T, url, scope string, change ...func(*clients.Metadata)) *changing {
	t.Helper()
	w := &changing{}
	hook := httptest.NewServer(w)
	t.Cleanup(hook.Close)
	w.town = open(t, url, func(o *provider.Options) {
		platform := o.Relations.Platform
		w.ledger = &revocation.Ledger{Prices: revocation.Prices{Latest: 20}, Now: o.Now}
		o.Ledger, o.LatestPeriod, o.Edge.Outside = w.ledger, newsPeriod, fetch.Outside{Loopback: true}
		o.Latest = &revocation.Latest{Platform: platform, Breaker: &revocation.Breaker{Now: o.Now}, Ledger: w.ledger}
	})
	m := clients.Metadata{ClientID: "shop", Scope: scope, LatestURI: hook.URL + "/changes", Policy: storage.ClientPolicy{LatestAttributes: true}}
	for _, c := range change {
		c(&m)
	}
	w.rp = w.Register(m)
	return w
}

// consent logs a person in up to the question about changes.
func (w *changing) consent(t *testing.T, b *idptest.Browser, name string, r idptest.Request) idptest.Page {
	t.Helper()
	p := w.Present(b, r, name)
	return b.Submit(p.Form("/consent"), "decision=allow")
}

// answer logs a person in and answers the question about changes; the sub comes back.
func (w *changing) answer(t *testing.T, name, answer string, changes ...string) string {
	t.Helper()
	r, b := w.rp.Request(changes...), w.NewBrowser()
	p := w.consent(t, b, name, r)
	if !strings.Contains(p.Body, `id="agree"`) {
		t.Fatalf("no question about changes: %d %v", p.Status, p.Away)
	}
	a := w.rp.Exchange(w.Answered(b.Submit(p.Form("/consent"), "latest="+answer), r).Get("code"), r)
	sub, _ := w.rp.Claims(a, r)["sub"].(string)
	if sub == "" {
		t.Fatal(a.Body)
	}
	return sub
}

// round lets the time of a round come, and delivers what it found.
func (w *changing) round(t *testing.T) {
	t.Helper()
	w.Town.Clock.Advance(newsPeriod)
	if err := w.Provider.AskLatest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Provider.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *changing) move(t *testing.T, name, address string) {
	t.Helper()
	if err := w.Town.Authority.Happen(name, jpkitest.Move, address); err != nil {
		t.Fatal(err)
	}
}

// messages are the claims of what the relying party has heard since the last call.
func (w *changing) messages(t *testing.T) []map[string]any {
	t.Helper()
	w.mu.Lock()
	heard := w.heard
	w.heard = nil
	w.mu.Unlock()
	resp, err := http.Get(w.Issuer + op.JWKSPath)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&keys); err != nil {
		t.Fatal(err)
	}
	var out []map[string]any
	for _, text := range heard {
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256})
		if err != nil {
			t.Fatal(err)
		}
		if typ := signed.Signatures[0].Header.ExtraHeaders["typ"]; typ != "attribute-change+jwt" {
			t.Errorf("typ is %v", typ)
		}
		payload, err := signed.Verify(keys.Key(signed.Signatures[0].Header.KeyID)[0])
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		out = append(out, claims)
	}
	return out
}

// asked is how often attributes were asked for, by the ledger.
func (w *changing) asked(t *testing.T) (n int64) {
	t.Helper()
	if err := w.ledger.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	fees, err := w.Provider.Store.Fees(t.Context(), w.Town.Clock.Now().In(time.FixedZone("JST", 9*3600)).Format("2006-01"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fees {
		if f.Purpose == revocation.PurposeLatest {
			if f.ClientID != "shop" || f.UnitYen != 20 {
				t.Errorf("the bill says %+v", f)
			}
			n += f.Queries
		}
	}
	return n
}

const fourItems = "openid name address birthdate gender"

func TestAMoveReachesTheSiteAndNothingElseDoes(t *testing.T) {
	onBothChanging(t, fourItems, func(t *testing.T, w *changing) {
		name, stranger := w.person(t), w.person(t)
		sub := w.answer(t, name, "agree")
		w.answer(t, stranger, "refuse")
		w.round(t) // registers the consent
		w.move(t, name, "東京都千代田区手形町九丁目９番９号")
		w.move(t, stranger, "東京都千代田区手形町八丁目８番８号")
		w.round(t)
		got := w.messages(t)
		if len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
		m := got[0]
		if names := slices.Sorted(maps.Keys(m)); !slices.Equal(names, []string{"address", "aud", "iat", "iss", "jti", "sub"}) {
			t.Errorf("the message has %v", names)
		}
		if m["sub"] != sub || m["aud"] != "shop" || m["iss"] != w.Issuer || m["address"].(map[string]any)["formatted"] != "東京都千代田区手形町九丁目９番９号" {
			t.Errorf("the message says %v", m)
		}
		if n := w.asked(t); n != 1 {
			t.Errorf("%d questions for attributes, want that of the one who agreed", n)
		}
		if err := w.Town.Authority.Happen(name, jpkitest.Rename, "手形　改"); err != nil {
			t.Fatal(err)
		}
		w.round(t)
		if got = w.messages(t); len(got) != 1 || got[0]["name"] != "手形　改" || got[0]["address"] != nil {
			t.Errorf("after a new name: %v", got)
		}
		releases := w.history(t, name)
		if len(releases) < 3 || releases[0].Outcome != storage.Updated || !slices.Equal(releases[0].Items, []string{"name"}) {
			t.Errorf("the history says %+v", releases)
		}
		w.leaksNothing(t, name)
	})
}

// history finds a person's history by the card's index: through her standing consents.
func (w *changing) history(t *testing.T, name string) []storage.Release {
	t.Helper()
	before := w.Town.Clock.Now()
	w.Town.Clock.Advance(time.Second) // of two lines at one instant nobody can say which came first
	list, err := w.Provider.Store.Releases(t.Context(), w.account(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(r storage.Release) bool { return r.At.After(before) }) // this very login
}

// account logs a person in to her own pages and finds whose session that is.
func (w *changing) account(t *testing.T, name string) string {
	t.Helper()
	r, b := w.rp.Request(), w.NewBrowser()
	a := w.rp.Exchange(w.Login(b, r, name).Get("code"), r)
	sub, _ := w.rp.Claims(a, r)["sub"].(string)
	account, err := w.Provider.Store.AccountBySubject(t.Context(), "shop.example", sub)
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// leaksNothing looks for what may not be in the log.
func (w *changing) leaksNothing(t *testing.T, name string) {
	t.Helper()
	log := w.Log.String()
	for _, secret := range []string{"手形　改", "手形町九丁目", "1990-04-01", "\"sub\""} {
		if strings.Contains(log, secret) {
			t.Errorf("the log says %q", secret)
		}
	}
	m := w.Town.Material(t, name)
	for _, der := range [][]byte{m.SignCert, m.AuthCert} {
		if serial := parsed(t, der).SerialNumber; strings.Contains(log, serial.String()) || strings.Contains(log, serial.Text(16)) {
			t.Error("the log has a serial number")
		}
	}
}

func TestWhoMayNotHearHearsNothing(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, w *changing, person string){
		"she withdrew": func(t *testing.T, w *changing, person string) {
			account := w.account(t, person)
			list, err := w.Provider.Store.LatestConsents(t.Context(), account)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			if err := w.Provider.Store.WithdrawLatest(t.Context(), list[0].ID, account, w.Town.Clock.Now()); err != nil {
				t.Fatal(err)
			}
		},
		"she took everything back": func(t *testing.T, w *changing, person string) {
			if err := w.Provider.Store.TakeBack(t.Context(), w.account(t, person), "shop", w.Town.Clock.Now()); err != nil {
				t.Fatal(err)
			}
		},
		"she left": func(t *testing.T, w *changing, person string) {
			if err := w.Provider.Store.DeleteAccount(t.Context(), w.account(t, person)); err != nil {
				t.Fatal(err)
			}
		},
		"the client is switched off": func(t *testing.T, w *changing, _ string) {
			if err := w.Provider.Store.DisableClient(t.Context(), "shop", true, w.Town.Clock.Now()); err != nil {
				t.Fatal(err)
			}
			w.Town.Clock.Advance(time.Minute)
		},
		"the client is not registered for it any more": func(t *testing.T, w *changing, _ string) {
			c, err := w.Provider.Store.Client(t.Context(), "shop")
			if err != nil {
				t.Fatal(err)
			}
			c.Policy.LatestAttributes = false
			if err := w.Provider.Store.PutClient(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			w.Town.Clock.Advance(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := openChanging(t, storagetest.SQLite(t), fourItems)
			person := w.person(t)
			w.answer(t, person, "agree")
			w.round(t)
			w.move(t, person, "東京都千代田区手形町七丁目７番７号")
			spoil(t, w, person)
			w.round(t)
			if got := w.messages(t); len(got) > 0 || w.asked(t) > 0 {
				t.Errorf("heard %v, %d questions", got, w.asked(t))
			}
		})
	}
}

// A withdrawal counts even for what waits in the outbox.
func TestAWithdrawalStopsWhatIsOnItsWay(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person := w.person(t)
	w.answer(t, person, "agree")
	account := w.account(t, person)
	w.round(t)
	w.move(t, person, "東京都千代田区手形町六丁目６番６号")
	w.Town.Clock.Advance(newsPeriod)
	if err := w.Provider.AskLatest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Provider.Store.TakeBack(t.Context(), account, "shop", w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Provider.Deliver(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d in the outbox, %v", n, err)
	}
	if got := w.messages(t); len(got) > 0 {
		t.Errorf("heard %v", got)
	}
	if ids, err := w.Provider.Store.EndedLatest(t.Context(), 9); err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	w.round(t)
	if ids, err := w.Provider.Store.EndedLatest(t.Context(), 9); err != nil || len(ids) != 0 {
		t.Errorf("the authority was not told: %v %v", ids, err)
	}
}

func TestOnlyConsentedItemsAreTold(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person, r, b := w.person(t), w.rp.Request(), w.NewBrowser()
	p := w.Present(b, r, person)
	p = b.Submit(p.Form("/consent").Without("address"), "decision=allow")
	if strings.Contains(p.Body, "item_address") || !strings.Contains(p.Body, `id="agree"`) {
		t.Fatal("the question is about something else")
	}
	w.Answered(b.Submit(p.Form("/consent"), "latest=agree"), r)
	w.round(t)
	w.move(t, person, "東京都千代田区手形町五丁目５番５号")
	w.round(t)
	if got := w.messages(t); len(got) > 0 {
		t.Errorf("an item that she left out was told: %v", got)
	}
	// A form that names more than was asked is refused, whatever it says about changes.
	r, b = w.rp.Request("scope=openid name"), w.NewBrowser()
	p = w.Present(b, r, w.person(t))
	if p = b.Submit(p.Form("/consent"), "decision=allow", "item=address", "latest=agree"); p.Away != nil && w.Answered(p, r).Get("code") != "" && w.itemsOf(t, r, p) {
		t.Error("a foreign item was agreed to")
	}
}

// itemsOf says whether any standing consent of the shop has the address.
func (w *changing) itemsOf(t *testing.T, r idptest.Request, p idptest.Page) bool {
	t.Helper()
	a := w.rp.Exchange(w.Answered(p, r).Get("code"), r)
	sub, _ := w.rp.Claims(a, r)["sub"].(string)
	account, err := w.Provider.Store.AccountBySubject(t.Context(), "shop.example", sub)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Provider.Store.StandingLatest(t.Context(), account, "shop")
	return err == nil && slices.Contains(c.Items, "address")
}

func TestARefusalChangesNothingAndIsRemembered(t *testing.T) {
	onBothChanging(t, fourItems, func(t *testing.T, w *changing) {
		person := w.person(t)
		sub := w.answer(t, person, "refuse")
		r, b := w.rp.Request(), w.NewBrowser()
		if p := w.Present(b, r, person); p.Away == nil {
			t.Error("a page in a second login")
		}
		// prompt=consent asks again, and so does a login after everything was taken back.
		if again := w.answer(t, person, "refuse", "prompt=consent"); again != sub {
			t.Error("another sub")
		}
		if err := w.Provider.Store.TakeBack(t.Context(), w.account(t, person), "shop", w.Town.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		w.answer(t, person, "agree")
		// Who has agreed is not asked again until the consent is near its end.
		if p := w.consent(t, w.NewBrowser(), person, w.rp.Request("prompt=consent")); p.Away == nil {
			t.Error("asked again right after agreeing")
		}
	})
}

func TestNobodyElseIsAsked(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person := w.person(t)
	plain := w.Register(clients.Metadata{ClientID: "plain", Scope: fourItems})
	r, b := plain.Request(), w.NewBrowser()
	if p := b.Submit(w.Present(b, r, person).Form("/consent"), "decision=allow", "latest=agree"); p.Away == nil {
		t.Errorf("a client that did not register for it: %d", p.Status)
	}
	ages := w.rp.Request("scope=openid")
	if p := w.consent(t, w.NewBrowser(), person, ages); p.Away == nil {
		t.Error("a login without the signature certificate is asked")
	}
	if ids, err := w.Provider.Store.UnregisteredLatest(t.Context(), w.Town.Clock.Now(), 9); err != nil || len(ids) != 0 {
		t.Error(ids, err)
	}
}

func TestADeathSaysNothing(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person := w.person(t)
	w.answer(t, person, "agree")
	w.round(t)
	w.move(t, person, "東京都千代田区手形町四丁目４番４号")
	w.happen(t, person, jpkitest.Die)
	before := w.Log.String()
	w.round(t)
	if got := w.messages(t); len(got) > 0 {
		t.Errorf("heard %v", got)
	}
	if said := strings.TrimPrefix(w.Log.String(), before); strings.Contains(said, "latest") {
		t.Errorf("the log says %s", said)
	}
}

func TestNewsThatAreReadAgainTellNothingTwice(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person := w.person(t)
	w.answer(t, person, "agree")
	w.round(t)
	w.move(t, person, "東京都千代田区手形町三丁目３番３号")
	w.round(t)
	now := w.Town.Clock.Now().Add(newsPeriod)
	f, err := w.Provider.Store.TakeFeed(t.Context(), "latest_attributes", now, now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	f.Place = "" // from the start
	if err := w.Provider.Store.KeepFeed(t.Context(), f, w.Town.Clock.Now().Add(-newsPeriod), true); err != nil {
		t.Fatal(err)
	}
	w.Town.Clock.Advance(newsPeriod)
	w.round(t)
	if got := w.messages(t); len(got) != 1 {
		t.Errorf("%d messages", len(got))
	}
}

func TestAnOutageOfThePlatformLosesNoChange(t *testing.T) {
	for _, fault := range []jpkitest.Fault{jpkitest.FaultOffline, jpkitest.FaultWrongKey, jpkitest.FaultStale, jpkitest.FaultNoNonce} {
		t.Run(string(fault), func(t *testing.T) {
			w := openChanging(t, storagetest.SQLite(t), fourItems)
			person := w.person(t)
			w.answer(t, person, "agree")
			w.round(t)
			w.move(t, person, "東京都千代田区手形町二丁目２番２号")
			w.Town.Break(t, fault)
			w.round(t)
			if got := w.messages(t); len(got) > 0 {
				t.Errorf("heard %v", got)
			}
			w.Town.Break(t, jpkitest.FaultNone)
			w.round(t)
			if got := w.messages(t); len(got) != 1 {
				t.Errorf("%d messages after the outage", len(got))
			}
		})
	}
}

func TestTheNewsMayBeLate(t *testing.T) {
	w := openChanging(t, storagetest.SQLite(t), fourItems)
	person := w.person(t)
	w.answer(t, person, "agree")
	w.round(t)
	w.Town.Break(t, jpkitest.FaultDelay)
	w.move(t, person, "東京都千代田区手形町一丁目１番１号")
	w.round(t)
	if got := w.messages(t); len(got) > 0 {
		t.Errorf("known after an hour: %v", got)
	}
	w.round(t)
	if got := w.messages(t); len(got) != 1 {
		t.Errorf("%d messages after two hours", len(got))
	}
}

func parsed(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
