package idp

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/authn"
	"tegata/claims"
	"tegata/claims/ask"
	"tegata/claims/ledger"
	"tegata/idp/clients"
	"tegata/storage"
)

// anybody is a person of random attributes, as her certificate has them.
func anybody(t *rapid.T, label string) (claims.Person, claims.CertificateFields) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("手形花子太郎東京都架空区町ＡＢＣ１２３０９－　")), 1, 30, -1)
	born := time.Date(1930, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 34000).Draw(t, label+" born"))
	f := claims.CertificateFields{
		Name: text.Draw(t, label+" name"), Sex: rapid.SampledFrom([]string{"1", "2", "9"}).Draw(t, label+" sex"), Birth: "0" + born.Format("20060102"),
		Address: rapid.OneOf(text, rapid.SampledFrom([]string{"京都府京都市中京区架空町１番地", "府中市見本町", "国外転出"})).Draw(t, label+" address"),
	}
	p, err := claims.FromCertificate(f)
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

var minimised = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// pipeline is everything between facts and the bytes that leave: what the operator, the client's policy, the request, the
// ledger, the person and the client's rules have to say.
type pipeline struct {
	p      *Provider
	client storage.Client
	login  storage.Login
	link   storage.Link
}

func newPipeline(t *rapid.T, person claims.Person, c storage.Client, scopes []string, asked string, told ledger.Ledger) pipeline {
	text, err := told.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{Config: Config{Issuer: "https://id.example", Now: func() time.Time { return minimised }, Log: slog.New(slog.DiscardHandler)}}
	l := storage.Login{Facts: person.Encode(), ACR: authn.ACR, AuthTime: minimised, Request: storage.AuthRequest{Scopes: scopes, Claims: []byte(asked)}}
	r, err := ask.Parse(asked)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.All() {
		l.Request.Items = append(l.Request.Items, string(one.Claim.Item()))
	}
	return pipeline{p, c, l, storage.Link{Told: storage.Told{Ledger: text}}}
}

// run gives what leaves, with what was released; nothing leaves on an abort.
func (w pipeline) run(t *rapid.T, consented []claims.Item) (id, info []byte, aborted bool) {
	o, err := w.p.offer(w.login, w.link, w.client)
	if err != nil {
		t.Fatal(err)
	}
	out, aborted, err := responsesTo(w.login, w.client, consented, o.wants.Release(o.offers, consented))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range out.items {
		if !strings.Contains(string(out.idToken)+string(out.userInfo), name) && claims.Item(name) != claims.ItemName && !claims.Item(name).Predicate() {
			t.Fatalf("the history tells of %s, which is not sent", name)
		}
	}
	return out.idToken, out.userInfo, aborted
}

// itemsIn are the items whose claims a response carries, under whatever name.
func itemsIn(t *rapid.T, response []byte) []claims.Item {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(response, &members); err != nil {
		t.Fatal(err)
	}
	var found []claims.Item
	for name, value := range members {
		if name != "verified_claims" {
			known, ok := claims.ParseClaim(name)
			if !ok {
				t.Fatalf("%s is in no catalogue", name)
			}
			found = append(found, known.Item())
			continue
		}
		if value[0] == '{' {
			value = fmt.Appendf(nil, "[%s]", value)
		}
		var elements []struct{ Claims json.RawMessage }
		if err := json.Unmarshal(value, &elements); err != nil {
			t.Fatal(err)
		}
		for _, e := range elements {
			found = append(found, itemsIn(t, e.Claims)...)
		}
	}
	return found
}

// anyQuestion is a claims parameter about some of names, with conditions, verified or not, perhaps with rules.
func anyQuestion(t *rapid.T, names []string) string {
	part := func(label string) string {
		var members []string
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, label) {
			condition := rapid.SampledFrom([]string{`null`, `null`, `{"value":true}`, `{"value":"male"}`, `{"essential":true}`}).Draw(t, "condition")
			members = append(members, fmt.Sprintf("%q:%s", name, condition))
		}
		return strings.Join(members, ",")
	}
	target := func(label string) string {
		members, inner := part(label), part(label+" verified")
		if inner == "" {
			return "{" + members + "}"
		}
		verified := `"verified_claims":{"verification":{"trust_framework":null,"time":null},"claims":{` + inner + `}}`
		return "{" + strings.TrimPrefix(members+","+verified, ",") + "}"
	}
	rules := ""
	if rapid.Bool().Draw(t, "rules") {
		rules = rapid.SampledFrom([]string{`{"loc":"/gender","else":"omit","what":["/name","/address"]}`, `{"loc":"/verified_claims","else":"omit","what":["/age_over_18"]}`,
			`{"loc":"/age_over_20","method":"simple","value":true,"else":"omit","what":["/verified_claims/claims"]}`, `{"loc":"/name","else":"abort"}`}).Draw(t, "rule")
		rules = `,"_asc":{"sao":{"id_token":[` + rules + `],"userinfo":[` + rules + `]}}`
	}
	return `{"id_token":` + target("id_token") + `,"userinfo":` + target("userinfo") + rules + `}`
}

// often looks at hundreds of random cases.
func often(t *testing.T, hundreds int, property func(*rapid.T)) {
	for range hundreds {
		if rapid.Check(t, property); t.Failed() {
			return
		}
	}
}

// What leaves was asked for, is within the policy, and was agreed to; and nothing that the ledger holds back is in it.
func TestWhatLeavesWasAskedAllowedAndAgreed(t *testing.T) {
	tagged := append(claims.Names(), "name#ja-Hani-JP", "address#ja", "given_name#ja-Latn-JP")
	items := rapid.SliceOfDistinct(rapid.SampledFrom(claims.Catalogue()), rapid.ID)
	often(t, 100, func(t *rapid.T) {
		person, _ := anybody(t, "she")
		c := storage.Client{ID: "c"}
		for _, i := range items.Draw(t, "policy") {
			c.Scopes = append(c.Scopes, string(i))
		}
		may := func(i claims.Item) bool { return clients.MayAsk(c, i) }
		names := slices.DeleteFunc(slices.Clone(tagged), func(name string) bool { n, _ := claims.ParseClaim(name); return !may(n.Item()) })
		scopes, _ := clients.AllowedScopes(c, strings.Fields(rapid.SampledFrom([]string{"openid", "openid name age_over_18", "openid gender address birthdate"}).Draw(t, "scope")))
		told, _ := ledger.Ledger{}.Note(map[claims.Item]bool{"age_over_13": true, "age_over_65": rapid.Bool().Draw(t, "told")}, ledger.DayOf(minimised.AddDate(0, 0, -5)))
		question := anyQuestion(t, names)
		consented := items.Draw(t, "consented")
		w := newPipeline(t, person, c, scopes, question, told)
		asked := claims.Asked(w.login.Request.Scopes, w.login.Request.Items)
		refused := told.Refused(ledger.Question{Items: asked, Registered: claims.Items(c.Scopes), Fresh: true, Today: ledger.DayOf(minimised)})
		id, info, aborted := w.run(t, consented)
		if aborted && (id != nil || info != nil) {
			t.Fatal("an abort sends something")
		} else if aborted {
			return
		}
		for _, i := range append(itemsIn(t, id), itemsIn(t, info)...) {
			if !slices.Contains(asked, i) || !may(i) || !slices.Contains(consented, i) || slices.Contains(refused, i) {
				t.Fatalf("%s leaves: asked %v, consented %v, refused %v\n%s\n%s", i, asked, consented, refused, question, info)
			}
		}
	})
}

// A token with predicates alone carries no piece of the person, and says the same of everybody but for one word.
func TestPredicatesCarryNothingButTheirWord(t *testing.T) {
	var names []string
	for _, i := range claims.Catalogue() {
		if i.Predicate() {
			names = append(names, string(i), i.Transformed())
		}
	}
	words := strings.NewReplacer(":true", ":*", ":false", ":*")
	often(t, 20, func(t *rapid.T) {
		she, f := anybody(t, "she")
		he, _ := anybody(t, "he")
		asked := names[:2*rapid.IntRange(1, 8).Draw(t, "ages")]
		var members []string
		for _, name := range asked {
			members = append(members, fmt.Sprintf("%q:null", name))
		}
		part := `{` + strings.Join(members, ",") + `,"verified_claims":{"verification":{"trust_framework":null,"time":null,"evidence":[{"type":{"value":"document"}}]},"claims":{` + strings.Join(members, ",") + `}}}`
		question := `{"id_token":` + part + `,"userinfo":` + part + `}`
		c := storage.Client{Scopes: claims.Scopes()}
		id, info, _ := newPipeline(t, she, c, []string{"openid"}, question, ledger.Ledger{}).run(t, claims.Catalogue())
		out := string(id) + string(info)
		for _, text := range []string{f.Name, f.Address} {
			runes := []rune(text)
			for i := 0; i+2 <= len(runes); i++ {
				if strings.Contains(out, string(runes[i:i+2])) {
					t.Fatalf("a piece of the person is in %s", out)
				}
			}
		}
		born, err := time.Parse("20060102", f.Birth[1:])
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"20060102", "2006-01-02", "01-02", "0102", "2006-01", "060102", "2006/01/02", "2006年1月2日", time.RFC3339} {
			if form := born.Format(form); form != minimised.Format("01-02") && form != minimised.Format("2006-01") && strings.Contains(out, form) {
				t.Fatalf("%s is in %s", form, out)
			}
		}
		his, hers, _ := newPipeline(t, he, c, []string{"openid"}, question, ledger.Ledger{}).run(t, claims.Catalogue())
		if words.Replace(string(his)+string(hers)) != words.Replace(out) {
			t.Fatalf("%s\n%s%s", out, his, hers)
		}
	})
}
