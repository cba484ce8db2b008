package authn_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/authn"
	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/fail"
	"tegata/authn/jpkitest"
	"tegata/authn/revocation"
	"tegata/authn/statement"
	"tegata/claims"
	"tegata/storage"
	"tegata/testdata/personas"
)

const issuer = "https://idp.example"

var today = time.Now().Truncate(time.Second)

func clock() time.Time { return today }

// authority is one for all tests: its keys are slow.
var authority = sync.OnceValues(func() (*jpkitest.Authority, error) {
	responder := httptest.NewUnstartedServer(nil)
	a, err := jpkitest.New(jpkitest.Options{Now: clock, BaseURL: "http://" + responder.Listener.Addr().String()})
	if err != nil {
		return nil, err
	}
	responder.Config.Handler = a.Handler()
	responder.Start() // until the test binary ends
	return a, nil
})

// court is a judge with a login before it.
type court struct {
	*authn.Judge
	login  storage.Login
	key    *agent.Key
	ticket authn.Secret
}

func newCourt(t *testing.T, scopes ...string) *court {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	key, err := agent.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := authn.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &court{
		Judge: &authn.Judge{
			Issuer: issuer, Trust: a.Trust(), Revocation: &revocation.OCSP{URL: a.ResponderOf, Now: clock, Rand: rand.Reader},
			CardInfoIssuers: []*rsa.PublicKey{a.CardInfoIssuer()}, IndexKey: bytes.Repeat([]byte("i"), 32), Now: clock,
		},
		login: storage.Login{
			ID: "login-a", State: storage.Claimed, ClientID: "shop", Request: storage.AuthRequest{Scopes: append([]string{"openid"}, scopes...)},
			TicketHash: ticket.Hash(), AgentKey: key.Public().JWK(), Nonce: bytes.Repeat([]byte{7}, 32), ExpiresAt: today.Add(time.Minute),
		},
		key: key, ticket: ticket,
	}
}

func materialOf(t *testing.T, name string) (cardtest.Persona, cardtest.Material) {
	t.Helper()
	everyone, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(everyone, func(p cardtest.Persona) bool { return p.ID == name })
	if i < 0 {
		t.Fatalf("nobody is called %q", name)
	}
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Equip(everyone[i])
	if err != nil {
		t.Fatal(err)
	}
	return everyone[i], m
}

func base(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// says are the statements that an honest agent would have signed for the login.
func (c *court) says() (statement.Login, statement.Attributes) {
	return statement.Login{
			V: statement.Version, Issuer: issuer, Login: c.login.ID, TicketHash: base(c.login.TicketHash), Client: c.login.ClientID,
			Flow: statement.FlowReader, Operations: authn.Operations(c.login.Request), Nonce: base(c.login.Nonce),
			AgentNonce: base(bytes.Repeat([]byte{9}, 32)), AgentKey: c.key.Public().Thumbprint(),
			IssuedAt: today.Unix(), Expires: today.Add(statement.MaxLife).Unix(),
		}, statement.Attributes{
			V: statement.Version, Issuer: issuer, Login: c.login.ID, Declaration: statement.ShareAttributes, Nonce: base(c.login.Nonce),
			IssuedAt: today.Unix(), Expires: today.Add(statement.MaxLife).Unix(),
		}
}

func signed(t *testing.T, m cardtest.Material, typ string, payload []byte) string {
	t.Helper()
	key, der := m.AuthKey, m.AuthCert
	if typ == statement.AttributesType {
		key, der = m.SignKey, m.SignCert
	}
	compact, err := statement.Sign(key, der, typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// result signs with the cards of two people: auth's authenticates, sign's brings the attributes.
func (c *court) result(t *testing.T, auth, sign cardtest.Material, login statement.Login, attributes statement.Attributes) agent.ResultRequest {
	t.Helper()
	out := agent.ResultRequest{Login: c.login.ID, Statement: signed(t, auth, statement.LoginType, login.Bytes())}
	if attributes.LoginStatement == "" {
		attributes.LoginStatement = statement.Hash([]byte(out.Statement))
	}
	out.Attributes = signed(t, sign, statement.AttributesType, attributes.Bytes())
	return out
}

func (c *court) wants(t *testing.T, r agent.ResultRequest, want *fail.Error) {
	t.Helper()
	got, err := c.Judge.Judge(t.Context(), c.login, r)
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Errorf("judged %v, want %v", err, want)
	}
	if err != nil && (got.Index != nil || got.Facts != nil || got.ACR != "") {
		t.Error("a refusal comes with evidence")
	}
}

func TestGoodEvidence(t *testing.T) {
	_, taro := materialOf(t, "taro")
	t.Run("of the person alone", func(t *testing.T) {
		c := newCourt(t)
		login, _ := c.says()
		e, err := c.Judge.Judge(t.Context(), c.login, agent.ResultRequest{Login: c.login.ID, Statement: signed(t, taro, statement.LoginType, login.Bytes())})
		if err != nil || len(e.Index) == 0 || e.Facts != nil || e.ACR != "aal3" || !slices.Equal(e.AMR, []string{"mnc", "pin", "hwk"}) {
			t.Errorf("%+v, %v", e, err)
		}
	})
	t.Run("with the signature certificate's attributes", func(t *testing.T) {
		c := newCourt(t, "age_over_18")
		login, attributes := c.says()
		login.Attributes = statement.CertificateRef(taro.SignCert)
		e, err := c.Judge.Judge(t.Context(), c.login, c.result(t, taro, taro, login, attributes))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := claims.DecodePerson(e.Facts); err != nil || len(claims.Evaluate(p, []claims.Item{"age_over_18"}, today)) != 1 {
			t.Errorf("the facts are no person: %v", err)
		}
	})
	t.Run("the index is the person's and hides the serial", func(t *testing.T) {
		c, d := newCourt(t), newCourt(t)
		d.IndexKey = bytes.Repeat([]byte("j"), 32)
		_, jiro := materialOf(t, "jiro17")
		index := func(c *court, m cardtest.Material) string {
			login, _ := c.says()
			e, err := c.Judge.Judge(t.Context(), c.login, agent.ResultRequest{Login: c.login.ID, Statement: signed(t, m, statement.LoginType, login.Bytes())})
			if err != nil {
				t.Fatal(err)
			}
			return string(e.Index)
		}
		if index(c, taro) != index(newCourt(t), taro) || index(c, taro) == index(c, jiro) || index(c, taro) == index(d, taro) {
			t.Error("an index is not keyed, not stable or not one person's")
		}
	})
}

// altered makes one copy of a struct per member, each with that member changed.
func altered[T any](good T) map[string]T {
	out := map[string]T{}
	kind := reflect.TypeFor[T]()
	for i := range kind.NumField() {
		bad := good
		f := reflect.ValueOf(&bad).Elem().Field(i)
		switch v := f.Interface().(type) {
		case string:
			f.SetString(v + "x")
		case int:
			f.SetInt(int64(v) + 1)
		case int64:
			f.SetInt(v + 3600)
		case []string:
			f.Set(reflect.ValueOf(append(slices.Clone(v), "x")))
		case *statement.AttributesRef:
			f.Set(reflect.ValueOf(&statement.AttributesRef{Source: v.Source, Hash: strings.Repeat("A", len(v.Hash))}))
		}
		out[kind.Field(i).Name] = bad
	}
	return out
}

func TestNoMemberOfTheStatementsMayDiffer(t *testing.T) {
	_, taro := materialOf(t, "taro")
	c := newCourt(t, "age_over_18")
	login, attributes := c.says()
	login.Attributes = statement.CertificateRef(taro.SignCert)
	c.wants(t, c.result(t, taro, taro, login, attributes), nil)
	for name, bad := range altered(login) {
		t.Run("login "+name, func(t *testing.T) { c.wants(t, c.result(t, taro, taro, bad, attributes), fail.StatementMismatch) })
	}
	attributes.LoginStatement = statement.Hash([]byte(signed(t, taro, statement.LoginType, login.Bytes())))
	for name, bad := range altered(attributes) {
		t.Run("attributes "+name, func(t *testing.T) { c.wants(t, c.result(t, taro, taro, login, bad), fail.StatementMismatch) })
	}
}

func TestEvidenceCannotBeMixed(t *testing.T) {
	_, taro := materialOf(t, "taro")
	_, jiro := materialOf(t, "jiro17")
	ref := statement.CertificateRef(taro.SignCert)
	for _, tc := range []struct {
		name string
		want *fail.Error
		make func(t *testing.T, c *court) agent.ResultRequest
	}{
		{"the adult's signature certificate that the minor's statement does not name", fail.StatementMismatch, func(t *testing.T, c *court) agent.ResultRequest {
			login, attributes := c.says()
			login.Attributes = statement.CertificateRef(jiro.SignCert)
			return c.result(t, jiro, taro, login, attributes)
		}},
		{"an attributes statement for another login statement of the same card", fail.StatementMismatch, func(t *testing.T, c *court) agent.ResultRequest {
			login, attributes := c.says()
			login.Attributes = ref
			attributes.LoginStatement = statement.Hash([]byte("another"))
			return c.result(t, taro, taro, login, attributes)
		}},
		{"two login statements", fail.SignatureInvalid, func(t *testing.T, c *court) agent.ResultRequest {
			login, _ := c.says()
			login.Attributes = ref
			one := signed(t, taro, statement.LoginType, login.Bytes())
			return agent.ResultRequest{Login: c.login.ID, Statement: one, Attributes: one}
		}},
		{"the attributes statement in the place of the login statement", fail.SignatureInvalid, func(t *testing.T, c *court) agent.ResultRequest {
			login, attributes := c.says()
			login.Attributes = ref
			r := c.result(t, taro, taro, login, attributes)
			r.Statement = r.Attributes
			return r
		}},
		{"no attributes", fail.StatementMismatch, func(t *testing.T, c *court) agent.ResultRequest {
			login, attributes := c.says()
			login.Attributes = ref
			r := c.result(t, taro, taro, login, attributes)
			r.Attributes = ""
			return r
		}},
		{"nothing at all", fail.SignatureInvalid, func(_ *testing.T, c *court) agent.ResultRequest { return agent.ResultRequest{Login: c.login.ID} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCourt(t, "age_over_18")
			c.wants(t, tc.make(t, c), tc.want)
		})
	}
	t.Run("attributes that nobody asked for", func(t *testing.T) {
		c := newCourt(t)
		login, attributes := c.says()
		c.wants(t, c.result(t, taro, taro, login, attributes), fail.StatementMismatch)
	})
}

// files is what the card-info application of a persona's card holds.
func files(t *testing.T, name string) *agent.CardInfo {
	t.Helper()
	p, m := materialOf(t, name)
	c, err := card.Open(t.Context(), cardtest.New(p, m).Connect())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // a virtual card
	if err := c.Verify(t.Context(), card.CardInfoPIN, []byte(p.CardInfoPIN)); err != nil {
		t.Fatal(err)
	}
	f, err := c.ReadCardInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &agent.CardInfo{Attributes: f.EF0002, Signature: f.EF0003, Certificate: f.EF0004}
}

func TestCardInfoEvidence(t *testing.T) {
	_, child := materialOf(t, "child")
	own, others := files(t, "child"), files(t, "taro")
	name := func(f *agent.CardInfo) *statement.AttributesRef {
		return statement.CardInfoRef(f.Attributes, f.Signature, f.Certificate)
	}
	older := *own
	older.Attributes = bytes.Replace(own.Attributes, []byte("20"), []byte("19"), 1)
	mixed := *others
	mixed.Attributes = own.Attributes
	for _, tc := range []struct {
		title string
		named *statement.AttributesRef
		sent  *agent.CardInfo
		want  *fail.Error
	}{
		{"the card's own files", name(own), own, nil},
		{"another card's files that the statement does not name", name(own), others, fail.StatementMismatch},
		{"a changed file that the statement does not name", name(own), &older, fail.StatementMismatch},
		{"a changed file that the statement names", name(&older), &older, fail.SignatureInvalid},
		{"one card's data under another card's signature", name(&mixed), &mixed, fail.SignatureInvalid},
		{"no files", name(own), &agent.CardInfo{}, fail.StatementMismatch},
	} {
		t.Run(tc.title, func(t *testing.T) {
			c := newCourt(t, "age_over_18")
			login, _ := c.says()
			login.Attributes = tc.named
			c.wants(t, agent.ResultRequest{Login: c.login.ID, Statement: signed(t, child, statement.LoginType, login.Bytes()), CardInfo: tc.sent}, tc.want)
		})
	}
	t.Run("where the operator holds no issuer's key", func(t *testing.T) {
		c := newCourt(t, "age_over_18")
		c.CardInfoIssuers = nil
		login, _ := c.says()
		login.Attributes = name(own)
		c.wants(t, agent.ResultRequest{Login: c.login.ID, Statement: signed(t, child, statement.LoginType, login.Bytes()), CardInfo: own}, fail.StatementMismatch)
		if slices.Contains(c.Sources(), statement.CardInfo) {
			t.Error("agents are told to bring it")
		}
	})
}

func TestBothCertificatesAreChecked(t *testing.T) {
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		persona string
		want    *fail.Error
	}{{"revoked", fail.CertificateRevoked}, {"suspended", fail.CertificateSuspended}, {"expired", fail.CertificateExpired}} {
		_, bad := materialOf(t, tc.persona)
		_, taro := materialOf(t, "taro")
		c := newCourt(t, "age_over_18")
		for name, pair := range map[string][2]cardtest.Material{"its authentication certificate": {bad, taro}, "its signature certificate": {taro, bad}} {
			t.Run(tc.persona+", "+name, func(t *testing.T) {
				login, attributes := c.says()
				login.Attributes = statement.CertificateRef(pair[1].SignCert)
				c.wants(t, c.result(t, pair[0], pair[1], login, attributes), tc.want)
			})
		}
	}
	t.Run("nobody answers", func(t *testing.T) {
		if err := a.Misbehave(jpkitest.FaultOffline); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Misbehave(jpkitest.FaultNone) }() // FaultNone is always taken
		_, taro := materialOf(t, "taro")
		c := newCourt(t)
		login, _ := c.says()
		c.wants(t, agent.ResultRequest{Login: c.login.ID, Statement: signed(t, taro, statement.LoginType, login.Bytes())}, fail.RevocationUnavailable)
	})
}

func TestAnUncheckedLoginIsWorthLess(t *testing.T) {
	if got := (&authn.Judge{Revocation: revocation.None{}}).ACR(); got != authn.UncheckedACR {
		t.Errorf("without revocation: %s", got)
	}
	if got := (&authn.Judge{Revocation: &revocation.OCSP{}}).ACR(); got != authn.ACR {
		t.Errorf("with OCSP: %s", got)
	}
}
