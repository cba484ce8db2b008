package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"time"

	"tegata/authn/fail"
)

// Client is the agent's side of the protocol towards one trusted provider.
type Client struct {
	Issuer  string           // from the agent's own list, never from a link; https, or http on this machine
	HTTP    *http.Client     // its Transport is used; redirects and cookies are not
	Now     func() time.Time //
	Rand    io.Reader        //
	Version string           // of this agent, digits with dots
}

// ProviderError is the cause inside a coded error that a provider answered with, for the agent's window.
type ProviderError struct {
	Status   int    // HTTP status
	Incident string // number to quote to the operator; "" if there is none
}

// Error tells the status alone: the rest is foreign text.
func (e *ProviderError) Error() string { return fmt.Sprintf("agent: provider answered %d", e.Status) }

var errAnswer = errors.New("agent: provider's answer is not of the protocol")

// call makes one proved POST. out is nil for calls that are answered with 204. It is sent once: whether
// to try again is not for the wire to decide.
func (c *Client) call(ctx context.Context, key *Key, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fail.Internal.Because(err)
	}
	endpoint := c.Issuer + path
	proof, err := key.Prove(http.MethodPost, endpoint, body, path == ClaimPath, c.Now(), c.Rand)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return fail.Internal.Because(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set(ProofHeader, proof)
	response, err := c.direct().Do(request)
	if err != nil {
		return fail.Unavailable.Because(err)
	}
	defer response.Body.Close()
	return read(response, out)
}

// direct follows no redirect, for a ticket or a statement must not wander to another host, and keeps no cookies:
// the agent is not the browser.
func (c *Client) direct() *http.Client {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: c.HTTP.Transport, CheckRedirect: stay}
}

func read(response *http.Response, out any) error {
	if out == nil && (response.StatusCode == http.StatusNoContent || response.StatusCode == http.StatusOK) {
		return nil
	}
	body, err := readJSON(response)
	switch {
	case response.StatusCode >= 400:
		return refusal(response.StatusCode, body)
	case err != nil:
		return fail.Internal.Because(err)
	case response.StatusCode != http.StatusOK:
		return fail.Internal.Because(errAnswer)
	}
	// Unknown members are left alone here: a newer provider may say more.
	if err := json.Unmarshal(body, out); err != nil {
		return fail.Internal.Because(errAnswer)
	}
	return nil
}

// readJSON reads a body that says it is JSON and is not too long.
func readJSON(response *http.Response) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, errAnswer
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, errAnswer
	}
	return body, nil
}

var incidentForm = regexp.MustCompile(`^[A-Za-z0-9-]{0,64}$`)

// refusal turns an error answer into the coded error it names. What names none (a proxy's page, a code of
// a newer provider) is fail.Unavailable for a gateway's status, else fail.Internal.
func refusal(status int, body []byte) error {
	cause := &ProviderError{Status: status}
	var said ErrorResponse
	if json.Unmarshal(body, &said) == nil {
		if incidentForm.MatchString(said.Incident) {
			cause.Incident = said.Incident
		}
		if known := fail.ByCode(said.Code); known.Code == said.Code {
			return known.Left(triesOf(said)).Because(cause)
		}
	}
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fail.Unavailable.Because(cause)
	}
	return fail.Internal.Because(cause)
}

func triesOf(said ErrorResponse) int {
	if said.Tries == nil || *said.Tries < 0 {
		return fail.NoTries
	}
	return *said.Tries
}
