package latest_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"slices"
	"testing"
	"time"

	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/claims"
	"tegata/idp/latest"
	"tegata/storage"
)

var errDown = errors.New("the database is down")

// office is the store and the authority of one job, in memory. fails names the call that does not work.
type office struct {
	storage.Latest
	consents map[string]storage.LatestConsent
	ended    []string
	place    string
	kept     []string // places, "done" behind those that end the lease
	news     []revocation.News
	register []string
	withdraw []string
	asked    []string
	told     []latest.Message
	lines    []storage.Release
	fails    map[string]error
	client   storage.Client
	subject  string
	answer   revocation.LatestAttributes
	woken    int
}

func (o *office) TakeFeed(context.Context, string, time.Time, time.Time, time.Time) (storage.Feed, error) {
	return storage.Feed{Place: o.place}, o.fails["take"]
}

func (o *office) KeepFeed(_ context.Context, f storage.Feed, _ time.Time, done bool) error {
	if o.place = f.Place; done {
		f.Place += "done"
	}
	o.kept = append(o.kept, f.Place)
	return o.fails["keep"]
}

func (o *office) EndedLatest(context.Context, int) ([]string, error) {
	return o.ended, o.fails["ended"]
}

func (o *office) DropEndedLatest(_ context.Context, id string) error {
	o.ended = slices.DeleteFunc(slices.Clone(o.ended), func(e string) bool { return e == id })
	return o.fails["drop"]
}

func (o *office) UnregisteredLatest(context.Context, time.Time, int) ([]storage.LatestConsent, error) {
	var list []storage.LatestConsent
	for _, c := range o.consents {
		if !c.Registered {
			list = append(list, c)
		}
	}
	return list, o.fails["unregistered"]
}

func (o *office) LatestConsent(_ context.Context, id string, _ time.Time) (storage.LatestConsent, error) {
	c, ok := o.consents[id]
	if !ok {
		return c, storage.ErrNotFound
	}
	return c, o.fails["consent"]
}

func (o *office) NoteLatest(_ context.Context, c storage.LatestConsent, _ time.Time, d *storage.Delivery, r *storage.Release) error {
	if err := o.fails["note"]; err != nil {
		return err
	}
	o.consents[c.ID] = c
	if d != nil {
		var m latest.Message
		if err := json.Unmarshal(d.Body, &m); err != nil {
			return err
		}
		o.told, o.lines = append(o.told, m), append(o.lines, *r)
	}
	return nil
}

func (o *office) Link(context.Context, string, string, storage.Sector) (storage.Link, error) {
	return storage.Link{Subject: o.subject}, o.fails["link"]
}

func (o *office) Register(_ context.Context, _ revocation.Question, id, text string, _ time.Time) error {
	o.register = append(o.register, id+" "+text)
	return o.fails["register"]
}

func (o *office) Withdraw(_ context.Context, id string) error {
	o.withdraw = append(o.withdraw, id)
	return o.fails["withdraw"]
}

func (o *office) News(context.Context, string) (revocation.News, error) {
	if err := o.fails["news"]; err != nil || len(o.news) == 0 {
		return revocation.News{Place: o.place}, err
	}
	n := o.news[0]
	o.news = o.news[1:]
	return n, nil
}

func (o *office) Attributes(_ context.Context, _ revocation.Question, id, client string) (revocation.LatestAttributes, error) {
	o.asked = append(o.asked, id+" for "+client)
	return o.answer, o.fails["attributes"]
}

// open is an office with one registered consent to name and address, of which the address has changed.
func open(t *testing.T) (*office, *latest.Job) {
	t.Helper()
	items := []claims.Item{claims.ItemName, claims.ItemAddress}
	known, err := key(t).Compare("c", nil, person(t, "A", "B", "1", "319900401"), items, noon).Known.Encode()
	if err != nil {
		t.Fatal(err)
	}
	number := jpki.Number{Issuer: sha256.Sum256([]byte("ca")), Serial: big.NewInt(7), NotAfter: noon}
	c := storage.LatestConsent{ID: "c", AccountID: "a", ClientID: "shop", Items: []string{"name", "address"}, Registered: true, Sent: known, Number: number.Encode()}
	o := &office{consents: map[string]storage.LatestConsent{"c": c}, fails: map[string]error{}, subject: "sub", place: "1",
		news:   []revocation.News{{Consents: []string{"c", "unknown"}, Place: "2", More: true}, {Place: "3"}},
		client: storage.Client{ID: "shop", Scopes: []string{"openid", "name", "address"}, LatestURI: "https://shop.example/", Policy: storage.ClientPolicy{LatestAttributes: true}},
		answer: revocation.LatestAttributes{Name: "A", NameSubstitution: "0", Sex: "1", Birth: "319900401", Address: "C", AddressSubstitution: "0"}}
	j := &latest.Job{Store: o, Authority: o, Key: key(t), Period: time.Hour, Rand: rand.Reader, Now: func() time.Time { return noon },
		Client: func(context.Context, string) (storage.Client, error) { return o.client, o.fails["client"] },
		Issuer: func(jpki.Number) *x509.Certificate { return &x509.Certificate{} },
		Log:    slog.New(slog.DiscardHandler), Wake: func() { o.woken++ }}
	return o, j
}

func TestARoundTellsWhatChanged(t *testing.T) {
	o, j := open(t)
	o.ended = []string{"old"}
	o.consents["new"] = storage.LatestConsent{ID: "new", Number: o.consents["c"].Number}
	for range 2 { // the second round finds nothing new
		if err := j.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.told) != 1 || o.told[0].Subject != "sub" || o.told[0].Consent != "c" || !bytes.Contains(o.told[0].Claims, []byte(`"formatted":"C"`)) || bytes.Contains(o.told[0].Claims, []byte("name")) {
		t.Errorf("told: %+v", o.told)
	}
	if len(o.lines) != 1 || !slices.Equal(o.lines[0].Items, []string{"address"}) || o.lines[0].Outcome != storage.Updated || o.woken != 1 {
		t.Errorf("the history says %+v, woken %d times", o.lines, o.woken)
	}
	if !slices.Equal(o.kept, []string{"2", "3", "3done", "3", "3done"}) {
		t.Errorf("places %v", o.kept)
	}
	if !slices.Equal(o.register, []string{"new " + latest.Wording}) || !slices.Equal(o.withdraw, []string{"old"}) || !slices.Equal(o.asked, []string{"c for shop"}) {
		t.Errorf("registered %v, withdrawn %v, asked %v", o.register, o.withdraw, o.asked)
	}
}

func TestNothingIsToldWhere(t *testing.T) {
	for what, spoil := range map[string]func(*office, *latest.Job){
		"the client is gone":                  func(o *office, _ *latest.Job) { o.fails["client"] = fail.ClientUnknown },
		"the client waits for approval":       func(o *office, _ *latest.Job) { o.fails["client"] = fail.ClientInactive },
		"the client's policy has changed":     func(o *office, _ *latest.Job) { o.client.Policy.LatestAttributes = false },
		"the client has no address any more":  func(o *office, _ *latest.Job) { o.client.LatestURI = "" },
		"the client may not have the items":   func(o *office, _ *latest.Job) { o.client.Scopes = []string{"openid"} },
		"the client does not know the person": func(o *office, _ *latest.Job) { o.subject = "" },
		"the anchor is not trusted any more":  func(_ *office, j *latest.Job) { j.Issuer = func(jpki.Number) *x509.Certificate { return nil } },
		"the authority gives nothing":         func(o *office, _ *latest.Job) { o.fails["attributes"] = revocation.ErrLatestRefused },
		"the attributes cannot be read":       func(o *office, _ *latest.Job) { o.answer.Birth = "x" },
		"the consent ended while we asked":    func(o *office, _ *latest.Job) { o.fails["note"] = storage.ErrStale },
		"another replica is reading":          func(o *office, _ *latest.Job) { o.fails["take"] = storage.ErrNotFound },
		"the number is damaged":               func(o *office, _ *latest.Job) { c := o.consents["c"]; c.Number = nil; o.consents["c"] = c },
		"nobody is to read":                   func(_ *office, j *latest.Job) { j.Period = 0 },
	} {
		t.Run(what, func(t *testing.T) {
			o, j := open(t)
			spoil(o, j)
			if err := j.Once(t.Context()); err != nil {
				t.Error(err)
			}
			if len(o.told) > 0 {
				t.Errorf("told: %+v", o.told)
			}
		})
	}
}

func TestAnOutageKeepsThePlace(t *testing.T) {
	for _, call := range []string{"withdraw", "register", "news", "attributes"} {
		t.Run(call, func(t *testing.T) {
			o, j := open(t)
			o.ended = []string{"old"}
			o.consents["new"] = storage.LatestConsent{ID: "new", Number: o.consents["c"].Number}
			o.fails[call] = fail.RevocationUnavailable
			if err := j.Once(t.Context()); err != nil {
				t.Error(err)
			}
			if !slices.Equal(o.kept, []string{"1done"}) || len(o.told) > 0 {
				t.Errorf("places %v, told %v", o.kept, o.told)
			}
		})
	}
	o, j := open(t)
	o.fails["news"] = revocation.ErrLatestRefused // a feed that is refused cannot be read either
	if err := j.Once(t.Context()); err != nil || !slices.Equal(o.kept, []string{"1done"}) {
		t.Error(err, o.kept)
	}
}

func TestARefusedRegistrationIsNotTriedForEver(t *testing.T) {
	o, j := open(t)
	o.ended = []string{"old"}
	o.consents["new"] = storage.LatestConsent{ID: "new", Number: o.consents["c"].Number}
	o.fails["register"], o.fails["withdraw"] = revocation.ErrLatestRefused, revocation.ErrLatestRefused
	if err := j.Once(t.Context()); err != nil || !o.consents["new"].Registered || len(o.ended) > 0 {
		t.Error(err, o.consents["new"].Registered, o.ended)
	}
}

func TestTheDatabasesTroubleIsTold(t *testing.T) {
	for _, call := range []string{"take", "keep", "ended", "drop", "unregistered", "consent", "note", "link", "client"} {
		t.Run(call, func(t *testing.T) {
			o, j := open(t)
			o.ended = []string{"old"}
			o.fails[call] = errDown
			if err := j.Once(t.Context()); !errors.Is(err, errDown) {
				t.Error(err)
			}
		})
	}
	o, j := open(t)
	c := o.consents["c"]
	c.Sent = []byte("x")
	o.consents["c"] = c
	if err := j.Once(t.Context()); !errors.Is(err, latest.ErrKnown) {
		t.Error(err)
	}
}

func TestHowOftenTheJobLooks(t *testing.T) {
	for period, want := range map[time.Duration]time.Duration{0: time.Second, 10 * time.Second: 5 * time.Second, time.Hour: time.Minute} {
		if got := (&latest.Job{Period: period}).Every(); got != want {
			t.Errorf("every %s of %s, want %s", got, period, want)
		}
	}
}
