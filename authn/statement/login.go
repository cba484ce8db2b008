package statement

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// Login is the payload of the login statement. Strings that hold bytes are base64url without padding.
type Login struct {
	V          int            `json:"v"`                    // Version
	Issuer     string         `json:"iss"`                  // the provider
	Login      string         `json:"login"`                // id of the login
	TicketHash string         `json:"ticket"`               // SHA-256 of the ticket of the launch link
	Client     string         `json:"client"`               // client_id of the relying party
	Flow       string         `json:"flow"`                 // FlowReader
	Operations []string       `json:"operations"`           // what the provider asked for, in its order
	Nonce      string         `json:"nonce"`                // the provider's, 256 bit
	AgentNonce string         `json:"agent_nonce"`          // the agent's, 256 bit
	AgentKey   string         `json:"agent_key"`            // RFC 7638 thumbprint of the agent's ephemeral key
	Attributes *AttributesRef `json:"attributes,omitempty"` // the evidence that comes along; nil when none was asked for
	IssuedAt   int64          `json:"iat"`                  // Unix seconds
	Expires    int64          `json:"exp"`                  // Unix seconds, at most MaxLife after IssuedAt
}

// Bytes is the canonical payload: what is signed, and what Expect compares with.
func (l Login) Bytes() []byte { return canonical(l) }

// Expect compares an opened login statement, byte for byte, with the one that the provider's own
// records allow, and returns it. Of the payload it believes three members only, after checking them: the
// agent's nonce, iat and exp. Everything else in want is the caller's: above all want.Attributes, which is
// built with CertificateRef or CardInfoRef from the evidence that arrived with the statement, so that
// evidence and statement cannot be mixed. The error is fail.StatementMismatch.
func Expect(o Opened, want Login, now time.Time) (Login, error) {
	var said Login
	if err := json.Unmarshal(o.Payload, &said); err != nil {
		return Login{}, mismatch("payload is not a login")
	}
	if nonce, err := segment(said.AgentNonce); err != nil || len(nonce) != NonceSize {
		return Login{}, mismatch("agent nonce")
	}
	if err := checkTimes(said.IssuedAt, said.Expires, now); err != nil {
		return Login{}, err
	}
	if slices.Contains(want.Operations, ReadAttributes) != (want.Attributes != nil) {
		return Login{}, mismatch("attribute evidence missing or not asked for")
	}
	want.V, want.AgentNonce, want.IssuedAt, want.Expires = Version, said.AgentNonce, said.IssuedAt, said.Expires
	if !bytes.Equal(want.Bytes(), o.Payload) {
		return Login{}, mismatch("payload is not the one this login allows")
	}
	return want, nil
}
