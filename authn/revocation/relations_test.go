package revocation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tegata/authn/fail"
)

// family is an operator that knows which certificates belong together; spoil changes what it says.
func family(t *testing.T, spoil func(in, out map[string]any)) *Relations {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in map[string]any
		if json.NewDecoder(r.Body).Decode(&in) != nil || in["consent"] == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out := map[string]any{
			"request_id": in["request_id"], "this_update": now.Format(time.RFC3339), "next_update": now.Add(time.Minute).Format(time.RFC3339),
			"authentication_serial": "1f00aa31", "previous_serials": []string{"5a21c0f3", "1f00aa31"}, "status": "suspended",
		}
		if text, ok := in["certificate"].(string); ok {
			sum := sha256.Sum256(must(base64.StdEncoding.DecodeString(text)))
			out["certificate_sha256"] = hex.EncodeToString(sum[:])
		} else {
			out["serial"], out["issuer_sha256"] = in["serial"], in["issuer_sha256"]
		}
		if spoil != nil {
			spoil(in, out)
		}
		body := must(json.Marshal(out))
		digest := sha256.Sum256(body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set(SignatureHeader, base64.StdEncoding.EncodeToString(must(ecdsa.SignASN1(rand.Reader, key, digest[:]))))
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	clock := func() time.Time { return now }
	return &Relations{
		Platform: &Platform{URL: server.URL, Keys: []*ecdsa.PublicKey{&key.PublicKey}, HTTP: server.Client(), Now: clock},
		Breaker:  &Breaker{Now: clock}, Ledger: &Ledger{Now: clock, Prices: Prices{Authentication: 2, Signature: 20, Relation: 7}},
	}
}

func TestRelationsAreAskedWithConsentAndMetered(t *testing.T) {
	w := theWorld()
	r := family(t, func(in, _ map[string]any) {
		if in["consent"] != "text v1" {
			t.Errorf("consent %v", in["consent"])
		}
	})
	serial, err := r.Correspondence(t.Context(), w.holder.cert, "text v1", "shop")
	if err != nil || serial.Cmp(big.NewInt(0x1f00aa31)) != 0 {
		t.Errorf("%v, %v", serial, err)
	}
	previous, err := r.Previous(t.Context(), Question{Serial: w.holder.cert.SerialNumber, Issuer: w.ca.cert, Client: "shop"}, "text v1")
	if err != nil || len(previous) != 2 || previous[0].Cmp(big.NewInt(0x5a21c0f3)) != 0 {
		t.Errorf("%v, %v", previous, err)
	}
	for row, n := range r.Ledger.counts {
		if n != 1 || row.UnitYen != 7 || row.ClientID != "shop" || row.Purpose != PurposeLink && row.Purpose != PurposeCorrespondence {
			t.Errorf("%+v: %d", row, n)
		}
	}
	if len(r.Ledger.counts) != 2 {
		t.Errorf("%d rows", len(r.Ledger.counts))
	}
}

func TestRelationsAreNotBelieved(t *testing.T) {
	w := theWorld()
	say := func(key string, value any) func(in, out map[string]any) {
		return func(_, out map[string]any) { out[key] = value }
	}
	for _, tc := range []struct {
		name  string
		spoil func(in, out map[string]any)
		want  error
	}{
		{"about another certificate", say("certificate_sha256", hex.EncodeToString(make([]byte, 32))), errOtherQuestion},
		{"about another number", say("serial", "1"), errOtherQuestion},
		{"about another issuer", say("issuer_sha256", ""), errOtherQuestion},
		{"to another request", say("request_id", "x"), errReplayed},
		{"of yesterday", say("this_update", now.Add(-24*time.Hour).Format(time.RFC3339)), errStale},
		{"without serials", func(_, out map[string]any) { out["authentication_serial"], out["previous_serials"] = "", []string{""} }, errJSON},
		{"with capitals", func(_, out map[string]any) {
			out["authentication_serial"], out["previous_serials"] = "1F", []string{"1F"}
		}, errJSON},
		{"with a sign", func(_, out map[string]any) {
			out["authentication_serial"], out["previous_serials"] = "-1f", []string{"a", "-1f"}
		}, errJSON},
		{"with nought", func(_, out map[string]any) {
			out["authentication_serial"], out["previous_serials"] = "0", []string{"0"}
		}, errJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := family(t, tc.spoil)
			_, whole := r.Correspondence(t.Context(), w.holder.cert, "v1", "shop")
			previous, number := r.Previous(t.Context(), Question{Serial: big.NewInt(5), Issuer: w.ca.cert}, "v1")
			if !errors.Is(whole, tc.want) && !errors.Is(number, tc.want) || errors.Is(tc.want, errJSON) && (whole == nil || number == nil) || number != nil && previous != nil {
				t.Errorf("%v; %v", whole, number)
			}
			for _, err := range []error{whole, number} {
				if err != nil && !errors.Is(err, fail.RevocationUnavailable) {
					t.Error(err)
				}
			}
		})
	}
	if _, err := family(t, nil).Previous(t.Context(), Question{}, "v1"); !errors.Is(err, errNoCertificate) {
		t.Error(err)
	}
}

func TestTheCircuitOfRelationsOpens(t *testing.T) {
	w := theWorld()
	r := family(t, func(_, out map[string]any) { out["request_id"] = "x" })
	for range 3 {
		r.Correspondence(t.Context(), w.holder.cert, "v1", "shop")
	}
	if _, err := r.Correspondence(t.Context(), w.holder.cert, "v1", "shop"); !errors.Is(err, errOpen) {
		t.Error(err)
	}
}

// Of a card that was seen before only its number is left; every authority can be asked by that.
func TestANumberIsEnoughToAsk(t *testing.T) {
	w := theWorld()
	q := Question{Serial: w.holder.cert.SerialNumber, Issuer: w.ca.cert, Purpose: "authentication"}
	p := family(t, nil).Platform
	if got, err := p.Check(t.Context(), q); err != nil || got.Status != Suspended {
		t.Errorf("the platform: %v, %v", got, err)
	}
	if got, err := w.serve(t, revoked(6)).Check(t.Context(), q); err != nil || got.Status != Suspended {
		t.Errorf("OCSP: %v, %v", got, err)
	}
	other, again := Question{Serial: big.NewInt(1), Issuer: w.ca.cert}, q
	if same(q) == same(other) || same(q) == same(w.question(w.holder.cert)) || same(q) != same(again) {
		t.Error("two numbers share an answer")
	}
	for _, nothing := range []Question{{}, {Serial: q.Serial}, {Issuer: q.Issuer}} {
		for name, c := range map[string]Checker{"OCSP": &OCSP{}, "CRL": &CRL{}, "shared": &Shared{Next: None{}}, "platform": &Platform{}} {
			if _, err := c.Check(t.Context(), nothing); !errors.Is(err, errNoCertificate) {
				t.Errorf("%s asked about nothing: %v", name, err)
			}
		}
	}
}

// Nobody knows on which partition a bare number would stand: one list can say that it is gone, only all can say that it is not.
func TestANumberIsLookedUpOnAllLists(t *testing.T) {
	w := theWorld()
	list := func(name string, entries ...x509.RevocationListEntry) []byte {
		l := fullList()
		l.RevokedCertificateEntries, l.ExtraExtensions = entries, []pkix.Extension{scope(point(name))}
		return w.sign(l, w.ca)
	}
	for _, tc := range []struct {
		name   string
		lists  [][]byte
		absent int // lists that could not be fetched
		want   Status
	}{
		{"on none of them", [][]byte{list("north"), list("south")}, 0, Good},
		{"on one of them", [][]byte{list("north"), list("south", entry(101, 6))}, 0, Suspended},
		{"on none, with one missing", [][]byte{list("north")}, 1, Unknown},
		{"on one, with another missing", [][]byte{list("north", entry(101, 0))}, 1, Revoked},
		{"no lists", nil, 0, Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := w.publish(t, tc.lists...)
			if err != nil {
				t.Fatal(err)
			}
			c.URLs = append(c.URLs, make([]string, tc.absent)...)
			got, err := c.Check(t.Context(), Question{Serial: big.NewInt(101), Issuer: w.ca.cert})
			if got.Status != tc.want || (err != nil) != (tc.want == Unknown) {
				t.Fatalf("%v, %v; want %v", got.Status, err, tc.want)
			}
		})
	}
}
