package ui

// CardAsk is what the card reader of the sandbox tells the person on each of its pages: who asks,
// through which provider, and the number that the other page shows.
type CardAsk struct {
	RPName, RPHost string
	Provider       string // host of the provider, from the agent's own list
	Number         string // two digits
	Purpose        string // may be ""
	Items          []string
}

// CardFace is one test card.
type CardFace struct {
	Persona       string // name of the persona, in the form
	Title         string // what this card is for, one line
	Name          string
	Birth         string // YYYY-MM-DD, or words; "" shows none
	Status        string // "", revoked, suspended, expired, locked
	NeedsPassword bool   // the signature certificate will be asked for
}

// CardPickPage lets the person choose a test card. Its form posts persona=<name>, or
// decision=cancel. Without an Action no login waits, and it only shows the cards.
type CardPickPage struct {
	CardAsk
	Cards  []CardFace
	Action string // POST
}

func (p CardPickPage) spec() spec {
	return spec{name: "cardpick", repeatable: true, reader: true, wide: true}
}

// CardPINPage asks for the PIN. Its form posts persona, pin, password when AskPassword,
// printed_1 to printed_3 with Printed, confirm_last=yes when a counter stands at one, and decision=ok|cancel.
type CardPINPage struct {
	CardAsk
	Face          CardFace
	AskPassword   bool
	PINTries      int        // tries left, < 0 unknown
	PasswordTries int        // tries left, < 0 unknown
	Printed       []CardPart // the numbers printed on the card, where they open its four attributes
	PrintedTries  int        // tries left, < 0 unknown
	PrintedURL    string     // the same page with Printed; "" shows none
	ErrorCode     string     // code of the last attempt's error, or ""
	TestPIN       string     // shown as a hint; "" shows none
	TestPassword  string
	Action        string // POST
	BackURL       string // to the choice of cards
}

// CardPart is one of the numbers printed on a test card.
type CardPart struct{ Name, Test string }

func (p CardPINPage) spec() spec { return spec{name: "cardpin", reader: true} }

// LastTry says that a wrong entry now locks the card, which needs a second confirmation.
func (p CardPINPage) LastTry() bool {
	return p.PINTries == 1 || p.AskPassword && p.PasswordTries == 1 || len(p.Printed) > 0 && p.PrintedTries == 1
}

// CardDonePage says that the card's part is over and the browser's other page goes on.
type CardDonePage struct{}

func (p CardDonePage) spec() spec { return spec{name: "carddone", reader: true} }
