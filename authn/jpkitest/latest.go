package jpkitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// DelayBy is how old the news of FaultDelay are: the real service learns of a move that late.
const DelayBy = 90 * time.Minute

// newsPage is how much one answer of the change feed names.
const newsPage = 100

// latestConsent is what the operator keeps of one consent to the latest attributes.
type latestConsent struct {
	Persona string
	Until   time.Time
}

// latestNews is one line of the change feed.
type latestNews struct {
	Reference string
	At        time.Time
}

// latestAttributes are the attributes as a signature certificate has them.
type latestAttributes struct {
	Name                string `json:"name"`
	NameSubstitution    string `json:"name_substitution"`
	Sex                 string `json:"sex"`
	Birth               string `json:"birth"`
	Address             string `json:"address"`
	AddressSubstitution string `json:"address_substitution"`
}

// platformConsent registers a consent to the latest attributes, made with the present signature certificate.
func (a *Authority) platformConsent(in platformRequest, out *platformAnswer) error {
	until, err := time.Parse(time.RFC3339, in.Until)
	if err != nil || in.Reference == "" || len(in.Reference) > 100 || !until.After(a.now()) {
		return errPlatformRequest
	}
	if in.Consent == "" {
		return errConsent
	}
	card, past := a.holderOf(jpki.Signature, in)
	if card == nil || past || card.Dead {
		return errUnknownHolder
	}
	out.Reference = in.Reference
	return a.change(func() { a.consents[in.Reference] = latestConsent{card.Persona, until} })
}

// platformWithdraw forgets a consent, and what the feed says of it.
func (a *Authority) platformWithdraw(in platformRequest, out *platformAnswer) error {
	if in.Reference == "" {
		return errPlatformRequest
	}
	out.Reference = in.Reference
	return a.change(func() { delete(a.consents, in.Reference) })
}

// platformChanges reads the change feed on: whose attributes may be others than before. It says nothing of a death.
func (a *Authority) platformChanges(in platformRequest, out *platformAnswer) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	from, err := strconv.Atoi(in.Cursor)
	if in.Cursor == "" {
		from, err = 0, nil
	}
	if err != nil || from < 0 {
		return errPlatformRequest
	}
	from = min(from, len(a.news)) // the stand-in was founded anew
	seen := a.now()
	if a.fault == FaultDelay {
		seen = seen.Add(-DelayBy)
	}
	to := from
	for to < len(a.news) && to-from < newsPage && !a.news[to].At.After(seen) {
		if c, ok := a.consents[a.news[to].Reference]; ok && a.now().Before(c.Until) {
			out.References = append(out.References, a.news[to].Reference)
		}
		to++
	}
	out.Cursor, out.More = strconv.Itoa(to), to-from == newsPage
	return nil
}

// platformAttributes gives the attributes as the register has them now.
func (a *Authority) platformAttributes(in platformRequest, out *platformAnswer) error {
	card, _ := a.holderOf(jpki.Signature, in) // a past certificate will do: the consent outlives it
	a.mu.Lock()
	consent, ok := a.consents[in.Reference]
	a.mu.Unlock()
	switch {
	case !ok || !a.now().Before(consent.Until):
		return errConsent
	case card == nil || card.Persona != consent.Persona || card.Dead:
		return errUnknownHolder
	}
	p := a.resident(card.Persona)
	out.Reference = in.Reference
	out.Attributes = &latestAttributes{
		Name: p.Name, NameSubstitution: p.NameSubstitution, Sex: p.Gender.Digit(), Birth: eraBirth(p),
		Address: p.Address, AddressSubstitution: p.AddressSubstitution}
	return nil
}

// tellOf puts a change into the feed, for every consent of the persona. The caller holds mu.
func (a *Authority) tellOf(persona string) {
	var references []string
	for reference, c := range a.consents {
		if c.Persona == persona {
			references = append(references, reference)
		}
	}
	slices.Sort(references)
	for _, reference := range references {
		a.news = append(a.news, latestNews{reference, a.now()})
	}
}

// priced is the purpose under which a call of the platform API stands on the bill; "" costs nothing.
func priced(call string, in platformRequest) string {
	switch call {
	case "status":
		return in.Purpose
	case "link", "correspondence":
		return call
	case "attributes":
		return "latest_attributes"
	}
	return ""
}

// bill counts a call.
func (a *Authority) bill(call string, in platformRequest) {
	purpose := priced(call, in)
	if purpose == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	month := a.now().In(jst).Format("2006-01")
	if a.billed[month] == nil {
		a.billed[month] = map[string]int{}
	}
	a.billed[month][purpose]++
}

// serveFees shows the operator's side of the bill since the start: calls by month and purpose.
func (a *Authority) serveFees(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a.billed)
}

// renamed is the persona under another name.
func renamed(p cardtest.Persona, name string) cardtest.Persona {
	p.Name, p.NameSubstitution = name, zeros(name)
	return p
}
