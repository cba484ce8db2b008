// Package idptest is a relying party, a browser, an agent and a town of card holders around one running provider, for
// tests that log in over HTTP as net/http/httptest lets others test handlers.
// It owns the stand-ins for everyone outside the provider. It refuses to know how a provider is put together (the test
// brings one, see Open) and what its pages look like beyond their forms, links and error codes.
// It is a stand-in: cmd/tegata never links it.
package idptest

import (
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpkitest"
	"tegata/testdata/personas"
)

// Clock starts at the real time, stands still and can be moved forward: a test that stands one second before a border stays
// there, however slow the machine is. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now is the time of the town.
func (c *Clock) Now() time.Time {
	c.Advance(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves everyone's clock forward. Back in time the provider's keys would not be made yet: a test that tries is wrong.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		panic("idptest: the town's clock does not go back")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		c.at = time.Now()
	}
	c.at = c.at.Add(d)
}

// Town is where the card holders live: one authority with its OCSP responder, and one clock for all.
type Town struct {
	Clock     *Clock
	Authority *jpkitest.Authority
	people    map[string]cardtest.Persona
}

// founded is the one town of a test binary: its RSA keys are slow. Tests that move its clock do not run in parallel.
var founded = sync.OnceValues(func() (*Town, error) {
	t := &Town{Clock: &Clock{}, people: map[string]cardtest.Persona{}}
	everyone, err := cardtest.LoadFS(personas.FS)
	if err != nil {
		return nil, err
	}
	for _, p := range everyone {
		t.people[p.ID] = p
	}
	responder := httptest.NewUnstartedServer(nil)
	t.Authority, err = jpkitest.New(jpkitest.Options{Now: t.Clock.Now, BaseURL: "http://" + responder.Listener.Addr().String()})
	if err != nil {
		return nil, err
	}
	responder.Config.Handler = t.Authority.Handler()
	responder.Start() // it lives as long as the test binary
	return t, nil
})

// Visit returns the test binary's town, its authority in good health.
func Visit(t testing.TB) *Town {
	t.Helper()
	town, err := founded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { town.Break(t, jpkitest.FaultNone) })
	return town
}

// Break gives the OCSP responder a fault until the test ends.
func (town *Town) Break(t testing.TB, fault jpkitest.Fault) {
	t.Helper()
	if err := town.Authority.Misbehave(fault); err != nil {
		t.Fatal(err)
	}
}

// Persona is a card holder of testdata/personas by name.
func (town *Town) Persona(t testing.TB, name string) cardtest.Persona {
	t.Helper()
	p, ok := town.people[name]
	if !ok {
		t.Fatalf("nobody is called %q", name)
	}
	return p
}

// Settle brings somebody into town whom a test describes, as a persona file does. Everyone has a name of their own.
func (town *Town) Settle(t testing.TB, name string, file []byte) {
	t.Helper()
	p, err := cardtest.ParsePersona(name, file)
	if err != nil {
		t.Fatal(err)
	}
	town.people[name] = p
}

// Material is what the authority put on the persona's card, the private keys included.
func (town *Town) Material(t testing.TB, name string) cardtest.Material {
	t.Helper()
	m, err := town.Authority.Equip(town.Persona(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Card is the persona's card with fresh counters.
func (town *Town) Card(t testing.TB, name string) *cardtest.Card {
	t.Helper()
	return cardtest.New(town.Persona(t, name), town.Material(t, name))
}
