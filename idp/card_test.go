package idp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/idp"
	"tegata/idp/idptest"
	"tegata/idp/keys"
	"tegata/idp/session"
	"tegata/storage"
	"tegata/storage/gormstore"
	"tegata/storage/storagetest"
)

// desk is a provider whose judge finds good whatever card lies before it, and an authority for renewed cards.
type desk struct {
	t      testing.TB
	p      *idp.Provider
	now    time.Time
	card   string                          // the serial, in words
	ends   time.Time                       // of its certificate
	before func(card string) []string      // what the authority says
	status func(card string) (bool, error) // whether a card is over
	asked  []string                        // wordings of consent
	facts  []byte                          // what the card says of its holder; nil: nothing
	log    bytes.Buffer
}

func (*desk) ACR() string { return authn.ACR }

func (d *desk) number(card string) jpki.Number {
	return jpki.Number{Serial: new(big.Int).SetBytes([]byte(card)), NotAfter: d.ends}
}

func (d *desk) index(card string) []byte {
	return jpki.IndexOf(bytes.Repeat([]byte("i"), 32), jpki.Authentication, d.number(card).Serial)
}

func (d *desk) Judge(context.Context, storage.Login, agent.ResultRequest) (authn.Evidence, error) {
	return authn.Evidence{Index: d.index(d.card), Card: d.number(d.card).Encode(), Facts: d.facts, ACR: authn.ACR, AMR: []string{"mnc"}}, nil
}

// Before and Over play authn.Renewals.
func (d *desk) Before(_ context.Context, card []byte, consent, _ string) ([][]byte, error) {
	d.asked = append(d.asked, consent)
	n, err := jpki.ParseNumber(card)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, c := range d.before(string(n.Serial.Bytes())) {
		out = append(out, d.index(c))
	}
	return out, nil
}

func (d *desk) Over(_ context.Context, cards []storage.Credential, _ string) (bool, error) {
	for _, c := range cards {
		n, err := jpki.ParseNumber(c.Card)
		if err != nil {
			return false, err
		}
		if over, err := d.status(string(n.Serial.Bytes())); !over || err != nil {
			return false, err
		}
	}
	return true, nil
}

// open makes the desk; the same seed draws the same secrets.
func openDesk(t testing.TB, seed byte) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), status: func(string) (bool, error) { return true, nil }}
	d.ends = d.now.AddDate(3, 0, 0)
	store, err := gormstore.Open(t.Context(), gormstore.Config{URL: storagetest.SQLite(t), Seal: storagetest.Keyset(t)})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	clock := func() time.Time { return d.now }
	ring := &keys.Ring{Store: store, Now: clock, Rand: rand.Reader}
	must(t, ring.Ensure(t.Context()))
	d.p, err = idp.New(idp.Config{
		Issuer: "https://id.example", Store: store, Keys: ring, Judge: d, Renewals: d, MinAgent: "1.0", SubjectKey: bytes.Repeat([]byte{7}, 32),
		SessionRule: session.Default, Now: clock, Rand: drawn(seed), Log: slog.New(slog.NewJSONHandler(&d.log, nil))})
	must(t, err)
	return d
}

// drawn is randomness that comes again.
func drawn(seed byte) io.Reader { return mathrand.NewChaCha8([32]byte{seed}) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func shopOf(id string) storage.Client {
	return storage.Client{ID: id, Scopes: []string{"openid"}, Sector: id + ".example", IDTokenAlg: "ES256", CreatedAt: time.Now(), UpdatedAt: time.Now()}
}

const verifier = "a-verifier-of-forty-three-characters-or-more-is-long-enough"

// returned walks to the consent page, or to the answer.
func (d *desk) returned(c storage.Client) (idp.Step, idp.Browser) {
	t := d.t
	t.Helper()
	ctx := t.Context()
	must(t, d.p.Store.PutClient(ctx, c))
	secret, err := authn.NewSecret(d.p.Rand)
	must(t, err)
	b := idp.Browser{Secret: secret, Known: true}
	step, err := d.p.Begin(ctx, c, storage.AuthRequest{
		RedirectURI: "https://" + c.ID + ".example/cb", ResponseMode: "query", Scopes: c.Scopes, CodeChallenge: idptest.Challenge(verifier)}, b)
	must(t, err)
	id := step.Login.ID
	step, err = d.p.Start(ctx, id, b, idp.Starting{})
	must(t, err)
	key, err := agent.NewKey(rand.Reader)
	must(t, err)
	_, err = d.p.ClaimTicket(ctx, agent.ClaimRequest{Ticket: step.Ticket, Key: key.Public(), Version: "1.0"}, key.Public().JWK())
	must(t, err)
	code, err := d.p.Result(ctx, agent.ResultRequest{Login: id})
	must(t, err)
	step, err = d.p.Return(ctx, code, b)
	must(t, err)
	return step, b
}

// answered goes on from there, with what was told to the relying party.
func (d *desk) answered(c storage.Client, step idp.Step, b idp.Browser) (sub, told string) {
	t := d.t
	t.Helper()
	ctx := t.Context()
	if step.Show == idp.ShowConsent {
		var err error
		step, err = d.p.Approve(ctx, step.Login.ID, b, idp.Decision{})
		must(t, err)
	}
	tokens, err := d.p.Exchange(ctx, c, step.Answer.Get("code"), step.Answer.RedirectURI, verifier, idp.Holder{})
	must(t, err)
	info, err := d.p.UserInfo(ctx, tokens.Access.Reveal(), idp.Holder{})
	must(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.IDToken, ".")[1])
	must(t, err)
	var claims struct{ Sub string }
	must(t, json.Unmarshal(payload, &claims))
	return claims.Sub, fmt.Sprint(step.Answer, tokens.Access.Reveal(), string(payload), fmt.Sprintf("%+v", info))
}

func (d *desk) login(c storage.Client, card string) string {
	d.t.Helper()
	d.card = card
	step, b := d.returned(c)
	sub, _ := d.answered(c, step, b)
	return sub
}

func TestTheEndOfACertificateIsAnnouncedNinetyDaysAhead(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ahead time.Duration
		shown bool
	}{
		{"ninety days", idp.ExpiryNotice, true},
		{"a second more", idp.ExpiryNotice + time.Second, false},
		{"a second", time.Second, true},
		{"three years", 3 * 365 * 24 * time.Hour, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openDesk(t, 1)
			d.card, d.ends = "card", d.now.Add(tc.ahead)
			step, b := d.returned(shopOf("shop"))
			if step.Show != idp.ShowConsent || step.Ends.IsZero() == tc.shown || tc.shown && !step.Ends.Equal(d.ends) {
				t.Fatalf("it ends %v", step.Ends)
			}
			account := step.Login.AccountID
			d.answered(shopOf("shop"), step, b)
			if ends, err := d.p.CardEnds(t.Context(), account); err != nil || !ends.Equal(d.ends) {
				t.Errorf("for her own pages it ends %v, %v", ends, err)
			}
			stored, err := d.p.Store.Login(t.Context(), step.Login.ID)
			if err != nil || stored.Card != nil {
				t.Error("the answered login still knows the card")
			}
		})
	}
	if ends, err := openDesk(t, 1).p.CardEnds(t.Context(), "nobody"); err != nil || !ends.IsZero() {
		t.Error(ends, err)
	}
}

// Whatever a relying party is told, it is the same for every end that a certificate may have.
func TestNothingThatARelyingPartySeesTellsWhenACertificateEnds(t *testing.T) {
	var first string
	for _, ahead := range []time.Duration{time.Hour, 30 * 24 * time.Hour, 5 * 365 * 24 * time.Hour} {
		d := openDesk(t, 2)
		d.card, d.ends = "card", d.now.Add(ahead)
		step, b := d.returned(shopOf("shop"))
		_, told := d.answered(shopOf("shop"), step, b)
		if first == "" {
			first = told
		}
		if told != first {
			t.Errorf("%s\n%s", told, first)
		}
	}
}

func TestARenewalKeepsEverySubject(t *testing.T) {
	d := openDesk(t, 3)
	shop, bank := shopOf("shop"), shopOf("bank")
	atShop, atBank := d.login(shop, "old"), d.login(bank, "old")
	d.before = func(string) []string { return []string{"nobody's", "old"} }
	d.card = "new"
	step, b := d.returned(shop)
	if !step.Renewable {
		t.Fatal("she is not asked")
	}
	must(t, d.p.TakeOver(t.Context(), step.Login.ID, b))
	step, err := d.p.Resume(t.Context(), step.Login.ID, b)
	must(t, err)
	if sub, _ := d.answered(shop, step, b); sub != atShop || step.Renewable {
		t.Errorf("sub %s, was %s", sub, atShop)
	}
	if sub := d.login(bank, "new"); sub != atBank {
		t.Error("the other one sees somebody else")
	}
	if !slices.Equal(d.asked, []string{idp.RenewalWording}) {
		t.Errorf("consents %v", d.asked)
	}
	given, err := d.p.Store.LinkConsents(t.Context(), step.Login.AccountID)
	if err != nil || len(given) != 1 || !given[0].TakenOver || given[0].Wording != idp.RenewalWording || !given[0].GivenAt.Equal(d.now) || given[0].ClientID != "shop" {
		t.Errorf("%+v, %v", given, err)
	}
}

func TestARenewalIsRefused(t *testing.T) {
	down := fail.RenewalUnavailable.Because(errors.New("down"))
	for _, tc := range []struct {
		name   string
		before []string
		status func(string) (bool, error)
		want   *fail.Error
	}{
		{"no earlier card", nil, nil, fail.RenewalUnknown},
		{"a card that nobody showed", []string{"nobody's"}, nil, fail.RenewalUnknown},
		{"two people's cards", []string{"taro's", "hanako's"}, nil, fail.RenewalUnknown},
		{"a card that is still good", []string{"taro's"}, func(string) (bool, error) { return false, nil }, fail.RenewalUnknown},
		{"a card that nobody can say anything about", []string{"taro's"}, func(string) (bool, error) { return false, down }, fail.RenewalUnavailable},
		{"itself", []string{"new"}, nil, fail.RenewalUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := openDesk(t, 4)
			shop := shopOf("shop")
			taro, hanako := d.login(shop, "taro's"), d.login(shop, "hanako's")
			d.before = func(string) []string { return tc.before }
			if tc.status != nil {
				d.status = tc.status
			}
			d.card = "new"
			step, b := d.returned(shop)
			if err := d.p.TakeOver(t.Context(), step.Login.ID, b); !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
			if sub, _ := d.answered(shop, step, b); sub == taro || sub == hanako {
				t.Error("she is somebody else")
			}
			if err := d.p.TakeOver(t.Context(), step.Login.ID, b); err == nil {
				t.Error("an answered login was renewed")
			}
		})
	}
	t.Run("again and again", func(t *testing.T) {
		d := openDesk(t, 5)
		d.before, d.card = func(string) []string { return nil }, "new"
		step, b := d.returned(shopOf("shop"))
		for range 20 {
			d.now = d.now.Add(time.Second)
			if err := d.p.TakeOver(t.Context(), step.Login.ID, b); !errors.Is(err, fail.RenewalUnknown) {
				t.Fatal(err)
			}
		}
		if len(d.asked) > 5 {
			t.Errorf("asked %d times", len(d.asked))
		}
	})
}

// People log in and renew their cards, say so or go on without, and the authority names whatever it likes as their former
// cards: themselves, in circles, nobody's, those that others had before or have now. It is right only about which cards
// are over. Nobody ever hears the sub of somebody else.
//
// One thing is out of anybody's reach: somebody who went on without leaves a dead card behind that still opens an account,
// and an authority that calls it another person's is believed.
func TestTwoPeopleNeverMerge(t *testing.T) {
	run, d := 0, openDesk(t, 6)
	rapid.Check(t, func(rt *rapid.T) {
		run++
		v := &village{d: d, rt: rt, shop: shopOf(fmt.Sprint("shop", run)), run: run, opens: map[string]int{}, subs: map[string]int{}}
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			v.visit(rapid.IntRange(0, 2).Draw(rt, "who"))
		}
	})
}

// village is three people with a pile of cards each, of which the last one is good.
type village struct {
	d     *desk
	rt    *rapid.T
	shop  storage.Client
	run   int
	cards [3][]string
	opens map[string]int // whose account a card opens
	subs  map[string]int // who is known by it
}

func (v *village) good(card string) bool {
	return slices.ContainsFunc(v.cards[:], func(pile []string) bool { return len(pile) > 0 && pile[len(pile)-1] == card })
}

func (v *village) visit(who int) {
	pile := &v.cards[who]
	if len(*pile) == 0 || rapid.Bool().Draw(v.rt, "renews") {
		*pile = append(*pile, fmt.Sprintf("r%d w%d c%d", v.run, who, len(*pile)))
	}
	v.d.card = (*pile)[len(*pile)-1]
	step, b := v.d.returned(v.shop)
	if step.Renewable && rapid.Bool().Draw(v.rt, "says so") {
		step = v.takeOver(who, step, b)
	}
	sub, _ := v.d.answered(v.shop, step, b)
	if was, known := v.subs[sub]; known && was != who {
		v.rt.Fatalf("%d is %d at the shop", who, was)
	}
	v.subs[sub], v.opens[v.d.card] = who, who
}

func (v *village) takeOver(who int, step idp.Step, b idp.Browser) idp.Step {
	before := slices.Clone(v.cards[who][:len(v.cards[who])-1])
	if rapid.Bool().Draw(v.rt, "wrongly") {
		all := slices.Concat(v.cards[0], v.cards[1], v.cards[2], []string{"nobody's"})
		before = slices.DeleteFunc(rapid.SliceOfN(rapid.SampledFrom(all), 0, 4).Draw(v.rt, "before"), func(card string) bool {
			owner, opens := v.opens[card]
			return opens && owner != who && !v.good(card)
		})
	}
	v.d.before = func(string) []string { return before }
	v.d.status = func(card string) (bool, error) { return !v.good(card), nil }
	err := v.d.p.TakeOver(v.rt.Context(), step.Login.ID, b)
	switch {
	case err == nil:
		for _, card := range before {
			delete(v.opens, card)
		}
	case !errors.Is(err, fail.RenewalUnknown):
		v.rt.Fatal(err)
	}
	step, err = v.d.p.Resume(v.rt.Context(), step.Login.ID, b)
	if err != nil {
		v.rt.Fatal(err)
	}
	return step
}
