package login_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
)

// BenchmarkOwnTime measures what the agent adds between the last entry of a PIN and the posting of the result: everything
// in between but the time that the card itself works. The bar is 60 ms; both are printed.
func BenchmarkOwnTime(b *testing.B) {
	d := sit(b, "taro")
	watched := &cardTime{}
	d.reader.watch = watched.watch
	posted := &postTime{next: d.login.HTTP.Transport}
	d.login.HTTP.Transport = posted
	var own, atCard time.Duration
	for b.Loop() {
		d.person.answers = []string{"1234", "ABC123"}
		d.browser = d.NewBrowser()
		s := d.click("openid age_over_18")
		watched.reset(d.person)
		if page, err := d.run(s); err != nil {
			b.Fatalf("%v: %s", err, page.Code)
		}
		between := posted.at.Sub(d.person.entered)
		own, atCard = own+between-watched.spent, atCard+watched.spent
	}
	b.ReportMetric(float64(own.Microseconds())/1000/float64(b.N), "own-ms/login")
	b.ReportMetric(float64(atCard.Microseconds())/1000/float64(b.N), "card-ms/login")
}

// cardTime adds up how long a card took for its answers after the person's last entry.
type cardTime struct {
	card.Transport
	person *person
	spent  time.Duration
}

func (c *cardTime) reset(p *person) { c.person, c.spent = p, 0 }

func (c *cardTime) watch(t card.Transport) card.Transport {
	c.Transport = t
	return c
}

func (c *cardTime) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	start := time.Now()
	defer func() {
		if len(c.person.answers) == 0 { // everything is entered
			c.spent += time.Since(start)
		}
	}()
	return c.Transport.Transmit(ctx, command)
}

// postTime notes when the result leaves.
type postTime struct {
	next http.RoundTripper
	at   time.Time
}

func (p *postTime) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == agent.ResultPath {
		p.at = time.Now()
	}
	return p.next.RoundTrip(r)
}
