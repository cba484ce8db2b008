package provider_test

import (
	"context"
	"crypto/x509"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/cmd/provider"
	"tegata/storage"
	"tegata/storage/storagetest"
)

// soon polls until a thing is so. The bound is generous: it is there for a machine that is busy, not for the promise.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal("not within half a minute: " + what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// second is another replica on the same database, with its background work running.
func (w *town) second(t *testing.T, o provider.Options) *provider.Provider {
	t.Helper()
	p, err := provider.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestEmergencySwitchesReachEveryReplica: what an operator switches off in the database is off on both replicas, soon.
func TestEmergencySwitchesReachEveryReplica(t *testing.T) {
	var options provider.Options
	w := open(t, storagetest.Postgres(t), func(o *provider.Options) { options = *o })
	other := w.second(t, options)
	shop := w.shop("shop")
	request := shop.Request()
	starts := func() bool { // on the replica that Run follows the switches of
		b := w.NewBrowser()
		p := b.Get(request.URL())
		return p.Form("/start").Action != "" && b.Submit(p.Form("/start")).Launch != ""
	}
	if !starts() {
		t.Fatal("a login does not start")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Provider.Run(ctx)
	}()
	defer func() { stop(); <-done }()

	methodOff := func() bool { return w.Provider.IDP.Disabled("reader") && other.IDP.Disabled("reader") }
	if methodOff() {
		t.Fatal("it is off already")
	}
	setting := storage.Setting{Name: provider.MethodSetting("reader"), Value: provider.Disabled, ChangedAt: time.Now()}
	if err := w.Provider.Store.PutSetting(t.Context(), setting); err != nil {
		t.Fatal(err)
	}
	soon(t, "methods disable", methodOff)
	if starts() {
		t.Error("a login starts by a method that is switched off")
	}
	if err := w.Provider.Store.DeleteSetting(t.Context(), setting.Name); err != nil {
		t.Fatal(err)
	}
	soon(t, "methods enable", func() bool { return !w.Provider.IDP.Disabled("reader") && !other.IDP.Disabled("reader") })

	if err := w.Provider.Store.DisableClient(t.Context(), "shop", true, w.Town.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	w.Town.Clock.Advance(time.Second) // copies of a client are as old as the town's clock says
	for name, p := range map[string]*provider.Provider{"the first": w.Provider, "the second": other} {
		soon(t, "client disable, "+name, func() bool {
			w := httptest.NewRecorder()
			p.Handler.ServeHTTP(w, httptest.NewRequest("GET", request.URL(), nil))
			return w.Code == 400
		})
	}
}

// counted counts how often a certificate's authority is asked.
type counted struct {
	next  revocation.Checker
	asked atomic.Int32
}

func (c *counted) Check(ctx context.Context, q revocation.Question) (revocation.Answer, error) {
	c.asked.Add(1)
	return c.next.Check(ctx, q)
}

func TestReplicasAskOnceAboutACard(t *testing.T) {
	var options provider.Options
	source := &counted{}
	w := open(t, storagetest.Postgres(t), func(o *provider.Options) {
		source.next, o.Revocation = o.Revocation, source
		options = *o
	})
	other, err := provider.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	shop := w.shop("shop")
	people := []string{w.person(t), w.person(t), w.person(t)}
	for _, name := range people {
		w.login(t, w.NewBrowser(), shop, name)
	}
	source.asked.Store(0)
	w.Town.Clock.Advance(period)
	errs := make(chan error, 2)
	for _, p := range []*provider.Provider{w.Provider, other} {
		go func() { errs <- p.AskStatus(t.Context()) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := source.asked.Load(); int(got) != len(people) {
		t.Errorf("two replicas asked %d times about %d cards", got, len(people))
	}
}

// TestACachedAnswerCostsNoStatement: a login's revocation check is memory and network, never the database.
func TestACachedAnswerCostsNoStatement(t *testing.T) {
	var statements atomic.Int64
	source := &counted{}
	var kept revocation.Checker
	w := open(t, storagetest.Postgres(t), func(o *provider.Options) {
		ledger := &revocation.Ledger{Prices: revocation.Prices{Authentication: 2, Signature: 20}, Now: o.Now}
		source.next = o.Revocation
		kept = &revocation.Shared{Next: revocation.Metered{Next: source, Ledger: ledger}, Now: o.Now, Keep: time.Minute}
		o.Revocation, o.Ledger, o.OnStatement = kept, ledger, func() { statements.Add(1) }
	})
	shop, name := w.shop("shop"), w.person(t)
	r := shop.Request("scope=openid")
	count := func() (sql int64, asked int32) {
		beforeSQL, beforeAsked := statements.Load(), source.asked.Load()
		w.Login(w.NewBrowser(), r, name)
		return statements.Load() - beforeSQL, source.asked.Load() - beforeAsked
	}
	count() // the first login makes the account
	w.Town.Clock.Advance(2 * time.Minute)
	w.NewBrowser().Get(r.URL()) // the copy of the client is old as well, which is another matter
	missSQL, missAsked := count()
	hitSQL, hitAsked := count()
	if missAsked != 1 || hitAsked != 0 || missSQL != hitSQL {
		t.Errorf("asked %d then %d times, with %d then %d statements", missAsked, hitAsked, missSQL, hitSQL)
	}
	q := questionOf(t, w, name)
	before := statements.Load()
	for range 10 {
		if answer, err := kept.Check(t.Context(), q); err != nil || answer.Status != revocation.Good {
			t.Fatal(answer, err)
		}
	}
	if got := statements.Load() - before; got != 0 {
		t.Errorf("ten checks take %d statements", got)
	}
}

func questionOf(t *testing.T, w *town, name string) revocation.Question {
	t.Helper()
	leaf := parse(t, w.Town.Material(t, name).AuthCert)
	issuer, err := w.Town.Authority.Trust().Check(leaf, jpki.Authentication, w.Town.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return revocation.Question{Leaf: leaf, Issuer: issuer, Purpose: jpki.Authentication.String(), Client: "shop"}
}

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
