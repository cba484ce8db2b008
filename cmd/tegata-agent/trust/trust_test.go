package trust

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhoMayBeTrusted(t *testing.T) {
	pin := strings.Repeat("A", 43) + "="
	for _, tc := range []struct {
		name string
		p    Provider
		ok   bool
	}{
		{"an https origin", Provider{Name: "City", Origin: "https://id.city.example"}, true},
		{"with a port, a path and a pin", Provider{Name: "市役所 2", Origin: "https://id.city.example:8443/tegata", Pin: pin}, true},
		{"http on this machine", Provider{Name: "sandbox", Origin: "http://127.0.0.1:9000"}, true},
		{"http on this machine by name", Provider{Name: "sandbox", Origin: "http://localhost:9000"}, true},
		{"http elsewhere", Provider{Name: "x", Origin: "http://id.city.example"}, false},
		{"http on the neighbour's machine", Provider{Name: "x", Origin: "http://10.0.0.1"}, false},
		{"a slash at the end", Provider{Name: "x", Origin: "https://id.city.example/"}, false},
		{"capitals: the issuer is compared byte for byte", Provider{Name: "x", Origin: "https://ID.city.example"}, false},
		{"a query", Provider{Name: "x", Origin: "https://id.city.example?a"}, false},
		{"a user", Provider{Name: "x", Origin: "https://id.city.example@evil.example"}, false},
		{"another scheme", Provider{Name: "x", Origin: "ftp://id.city.example"}, false},
		{"no scheme", Provider{Name: "x", Origin: "id.city.example"}, false},
		{"no host", Provider{Name: "x", Origin: "https://"}, false},
		{"an escape", Provider{Name: "x", Origin: "https://id.city.example/%2e"}, false},
		{"no name", Provider{Origin: "https://id.city.example"}, false},
		{"a name that reads like a flag", Provider{Name: "--provider", Origin: "https://id.city.example"}, false},
		{"a name of two lines", Provider{Name: "a\nb", Origin: "https://id.city.example"}, false},
		{"a pin that is none", Provider{Name: "x", Origin: "https://id.city.example", Pin: "abc"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.p.Check(); (err == nil) != tc.ok {
				t.Fatal(err)
			}
		})
	}
}

func TestTheListKeepsWhatWasAdded(t *testing.T) {
	l := List{filepath.Join(t.TempDir(), "deep", "providers.json")}
	if all, err := l.Load(); err != nil || len(all) != 0 {
		t.Fatal(all, err)
	}
	city, bank := Provider{Name: "City", Origin: "https://id.city.example"}, Provider{Name: "Bank", Origin: "https://id.bank.example"}
	for _, p := range []Provider{city, bank} {
		if err := l.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, again := range []Provider{{Name: "City", Origin: "https://other.example"}, {Name: "Other", Origin: city.Origin}} {
		if l.Add(again) == nil {
			t.Errorf("%v replaced another", again)
		}
	}
	if info, err := os.Stat(l.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := l.Remove("Nobody"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := l.Remove("City"); err != nil {
		t.Error(err)
	}
	all, err := l.Load()
	if err != nil || len(all) != 1 || all[0] != bank {
		t.Error(all, err)
	}
	if p, err := Find(all, "Bank"); err != nil || p.Host() != "id.bank.example" {
		t.Error(p, err)
	}
	if _, err := Find(all, "City"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestAListThatWasTamperedWithIsRefusedWhole(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":              `{"providers":[`,
		"an unknown member":    `{"providers":[],"allow_all":true}`,
		"a provider over http": `{"providers":[{"name":"City","origin":"https://id.city.example"},{"name":"x","origin":"http://evil.example"}]}`,
		"a name twice":         `{"providers":[{"name":"x","origin":"https://a.example"},{"name":"x","origin":"https://b.example"}]}`,
	} {
		path := filepath.Join(t.TempDir(), "providers.json")
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := (List{path}).Load(); err == nil {
			t.Errorf("%s: %v", name, all)
		}
		if err := (List{path}).Add(Provider{Name: "new", Origin: "https://new.example"}); err == nil {
			t.Errorf("%s: added to", name)
		}
	}
}

func TestAPinnedProviderMustShowItsKey(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	right := PinOf(server.Certificate())
	for name, tc := range map[string]struct {
		pin   string
		trust bool
		want  error
	}{
		"the noted key": {right, true, nil},
		"another key":   {strings.Repeat("A", 43) + "=", true, ErrPin},
		"the noted key, which no authority vouches for": {right, false, &tls.CertificateVerificationError{}},
	} {
		client := Provider{Name: "x", Origin: server.URL, Pin: tc.pin}.Client()
		if tc.trust {
			client.Transport.(*http.Transport).TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		}
		response, err := client.Get(server.URL)
		if err == nil {
			response.Body.Close()
		}
		var unknown *tls.CertificateVerificationError
		switch {
		case tc.want == nil && err != nil, errors.Is(tc.want, ErrPin) && !errors.Is(err, ErrPin):
			t.Errorf("%s: %v", name, err)
		case errors.As(tc.want, &unknown) && !errors.As(err, &unknown):
			t.Errorf("%s: %v", name, err)
		}
		client.CloseIdleConnections()
	}
}
