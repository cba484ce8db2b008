package idptest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/cardtest"
	"tegata/authn/statement"
)

// Loopback is a return address of an agent that nobody listens on: tests carry the completion code by hand.
const Loopback = "http://127.0.0.1:49152/r/AAAAAAAAAAAAAAAAAAAAAA"

// Agent holds the login of one ticket and can be made to say anything. An honest agent is UseCard.
type Agent struct {
	t       testing.TB
	w       *World
	Ticket  agent.Ticket
	Key     *agent.Key
	Context agent.Context
}

// Claim redeems the launch link of a waiting page.
func (w *World) Claim(launch string) *Agent {
	w.T.Helper()
	a := w.Stranger(launch)
	status, body := a.Call(agent.ClaimPath, agent.ClaimRequest{Ticket: a.Ticket.Reveal(), Key: a.Key.Public(), Version: "1.0", Return: Loopback})
	if status != http.StatusOK {
		w.T.Fatalf("claim: %d %s", status, body)
	}
	if err := json.Unmarshal([]byte(body), &a.Context); err != nil {
		w.T.Fatal(err)
	}
	return a
}

// Stranger is an agent that knows a launch link and has not claimed it.
func (w *World) Stranger(launch string) *Agent {
	w.T.Helper()
	ticket, err := agent.ParseTicket(strings.TrimPrefix(launch, "tegata:"))
	if err != nil {
		w.T.Fatalf("launch link %q: %v", launch, err)
	}
	key, err := agent.NewKey(rand.Reader)
	if err != nil {
		w.T.Fatal(err)
	}
	return &Agent{t: w.T, w: w, Ticket: ticket, Key: key}
}

// Call makes one proved call and returns the answer.
func (a *Agent) Call(path string, in any) (int, string) {
	a.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		a.t.Fatal(err)
	}
	proof, err := a.Key.Prove(http.MethodPost, a.w.Issuer+path, body, path == agent.ClaimPath, a.w.Town.Clock.Now(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.w.Issuer+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(agent.ProofHeader, proof)
	answer := Do(a.t, r)
	return answer.Status, answer.Body
}

// Code is the error code in an answer of Call.
func Code(body string) string {
	var e agent.ErrorResponse
	_ = json.Unmarshal([]byte(body), &e) // what is not JSON has no code
	return e.Code
}

// Statements are what the card signs for the claimed login, before signing.
func (a *Agent) Statements(m cardtest.Material) (statement.Login, statement.Attributes) {
	now := a.w.Town.Clock.Now()
	var nonce [statement.NonceSize]byte
	rand.Read(nonce[:])
	login := statement.Login{
		V: statement.Version, Issuer: a.w.Issuer, Login: a.Context.Login, TicketHash: a.Ticket.Hash(), Client: a.Context.Client.ID,
		Flow: statement.FlowReader, Operations: a.Context.Operations, Nonce: a.Context.Nonce,
		AgentNonce: base64.RawURLEncoding.EncodeToString(nonce[:]), AgentKey: a.Key.Public().Thumbprint(),
		IssuedAt: now.Unix(), Expires: now.Add(statement.MaxLife).Unix(),
	}
	if len(a.Context.Operations) > 1 && m.SignCert != nil {
		login.Attributes = statement.CertificateRef(m.SignCert)
	}
	return login, statement.Attributes{
		V: statement.Version, Issuer: a.w.Issuer, Login: a.Context.Login, Declaration: a.Context.Declaration, Nonce: a.Context.Nonce,
		IssuedAt: now.Unix(), Expires: now.Add(statement.MaxLife).Unix(),
	}
}

// Sign makes a result of two statements with the keys of m, naming the first in the second.
func (a *Agent) Sign(m cardtest.Material, login statement.Login, attributes statement.Attributes) agent.ResultRequest {
	a.t.Helper()
	out := agent.ResultRequest{Login: a.Context.Login}
	var err error
	if out.Statement, err = statement.Sign(m.AuthKey, m.AuthCert, statement.LoginType, login.Bytes()); err != nil {
		a.t.Fatal(err)
	}
	if login.Attributes == nil || login.Attributes.Source != statement.SignatureCertificate {
		return out
	}
	attributes.LoginStatement = statement.Hash([]byte(out.Statement))
	if out.Attributes, err = statement.Sign(m.SignKey, m.SignCert, statement.AttributesType, attributes.Bytes()); err != nil {
		a.t.Fatal(err)
	}
	return out
}

// Honest is the result that the persona's card would give.
func (a *Agent) Honest(persona string) agent.ResultRequest {
	a.t.Helper()
	m := a.w.Town.Material(a.t, persona)
	login, attributes := a.Statements(m)
	return a.Sign(m, login, attributes)
}

// Result brings a result and returns the completion code, "" with the error's code when it is refused.
func (a *Agent) Result(r agent.ResultRequest) (code, refusal string) {
	a.t.Helper()
	status, body := a.Call(agent.ResultPath, r)
	if status != http.StatusOK {
		return "", Code(body)
	}
	var out agent.ResultResponse
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		a.t.Fatal(err)
	}
	return out.Code, ""
}

// UseCard is an honest agent with the persona's virtual card, APDUs and all: it takes the launch link and returns
// the completion code, or the error of card or provider.
func (w *World) UseCard(launch, persona string) (string, error) {
	w.T.Helper()
	p := w.Town.Persona(w.T, persona)
	client := &agent.Client{Issuer: w.Issuer, HTTP: &http.Client{}, Now: w.Town.Clock.Now, Rand: rand.Reader, Version: "1.0"}
	session, err := client.Claim(w.T.Context(), w.Stranger(launch).Ticket, Loopback)
	if err != nil {
		return "", err
	}
	c, err := card.Open(w.T.Context(), w.Town.Card(w.T, persona).Connect())
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }() // a virtual card
	enter := func() (string, error) {
		secrets := agent.Secrets{PIN: []byte(p.PIN), Password: []byte(p.Password), CardInfoPIN: []byte(p.CardInfoPIN)}
		if session.Opens()[0] == card.NumberB || p.CardInfoTries == 0 {
			secrets.NumberB = []byte(p.NumberB())
		}
		return session.Perform(w.T.Context(), c, secrets)
	}
	code, err := enter()
	if session.GoesOn(err) {
		return enter()
	}
	return code, err
}
