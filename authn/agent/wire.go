package agent

import "time"

// ClaimRequest redeems the ticket of the launch link. The first claim wins.
type ClaimRequest struct {
	Ticket  string    `json:"ticket"`           // see ParseTicket
	Key     PublicKey `json:"key"`              // made for this login; its proof carries it too
	Version string    `json:"version"`          // of the agent, digits with dots
	Return  string    `json:"return,omitempty"` // loopback address for the browser, see ValidReturn
}

// Context is everything an agent shows before it asks for a PIN, and everything the statements name.
type Context struct {
	Login       string       `json:"login"`                  // id of the login
	Issuer      string       `json:"issuer"`                 // must be the one the agent trusts
	Client      RelyingParty `json:"client"`                 // who wants to know
	Operations  []string     `json:"operations"`             // statement.Authenticate, statement.ReadAttributes
	Sources     []string     `json:"sources"`                // where the attributes may come from, best first; statement.SignatureCertificate, statement.CardInfo
	CardInfoBy  []string     `json:"card_info_by,omitempty"` // what may open the card-info application, first choice first; statement.CardInfoPIN, statement.NumberB; none: the PIN
	Items       []string     `json:"items"`                  // what the relying party will be offered, by claim
	Nonce       string       `json:"nonce"`                  // 256 bit, base64url
	Number      string       `json:"number"`                 // two digits that the page shows too
	Declaration string       `json:"declaration"`            // key of the sentence the signature key will sign (R8)
	Expires     time.Time    `json:"expires"`                // RFC 3339
	MinVersion  string       `json:"min_version"`            // oldest agent that may go on, digits with dots
}

// RelyingParty is the service that asks, as registered.
type RelyingParty struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	NameJa    string `json:"name#ja,omitempty"`
	Host      string `json:"host"` // of its redirect URI
	Purpose   string `json:"purpose,omitempty"`
	PurposeJa string `json:"purpose#ja,omitempty"`
}

// ProgressRequest tells the waiting page what happens at the card.
type ProgressRequest struct {
	Login string `json:"login"`
	Code  string `json:"code"`            // a progress code of design/flows.md
	Tries *int   `json:"tries,omitempty"` // PIN entries left, where the code speaks of them
}

// ResultRequest brings the evidence, once.
type ResultRequest struct {
	Login      string    `json:"login"`
	Statement  string    `json:"statement"`            // compact login statement
	Attributes string    `json:"attributes,omitempty"` // compact attributes statement, for statement.SignatureCertificate
	CardInfo   *CardInfo `json:"card_info,omitempty"`  // for statement.CardInfo
}

// CardInfo carries three files of the card-info application, byte for byte.
type CardInfo struct {
	Attributes  Base64URL `json:"attributes"`       // EF 0002
	Signature   Base64URL `json:"signature"`        // EF 0003
	Certificate Base64URL `json:"certificate"`      // EF 0004
	Opened      string    `json:"opened,omitempty"` // statement.NumberB where that opened it; "" for the PIN
}

// ResultResponse carries the completion code, which only this agent ever receives.
type ResultResponse struct {
	Code string `json:"code"`
}

// CancelRequest gives the login up: the person said no, or the card cannot go on.
type CancelRequest struct {
	Login string `json:"login"`
	Code  string `json:"code"` // code of authn/fail that says why
}

// ErrorResponse is the body of every answer that is not a success.
type ErrorResponse struct {
	Code     string `json:"code"`               // code of authn/fail
	Tries    *int   `json:"tries,omitempty"`    // PIN entries left
	Incident string `json:"incident,omitempty"` // number to quote to the operator
	Message  string `json:"message,omitempty"`  // for a person who reads the wire; agents have their own sentences
}
