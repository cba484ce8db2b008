package cards

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// The wire carries APDUs as hex text: POST /wire/connect/{persona} answers with a connection's id, POST /wire/{id} takes a
// command and answers with the response, DELETE /wire/{id} resets the card. GET /wire/clock tells the sandbox's time.

// wireLife ends a connection that nobody uses; a hung test must not hold a card for ever.
const wireLife = 2 * time.Minute

type wire struct {
	box  *Box
	now  func() time.Time
	mu   sync.Mutex
	open map[string]*wireEnd
}

type wireEnd struct {
	transport card.Transport
	expire    *time.Timer
}

func (w *wire) mount(mux *http.ServeMux) {
	mux.HandleFunc("POST /wire/connect/{persona}", w.connect)
	mux.HandleFunc("POST /wire/{id}", w.transmit)
	mux.HandleFunc("DELETE /wire/{id}", w.disconnect)
	mux.HandleFunc("GET /wire/clock", func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, w.now().UTC().Format(time.RFC3339Nano))
	})
}

func (w *wire) connect(rw http.ResponseWriter, r *http.Request) {
	c, err := w.box.Card(r.PathValue("persona"))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusNotFound)
		return
	}
	id := rand.Text()
	w.mu.Lock()
	w.open[id] = &wireEnd{transport: c.Connect(), expire: time.AfterFunc(wireLife, func() { w.end(id) })}
	w.mu.Unlock()
	_, _ = io.WriteString(rw, id)
}

func (w *wire) transmit(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	end, ok := w.open[r.PathValue("id")]
	w.mu.Unlock()
	if !ok {
		http.Error(rw, "no such connection", http.StatusNotFound)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 4096))
	if err != nil {
		http.Error(rw, "command too long", http.StatusBadRequest)
		return
	}
	command, err := hex.DecodeString(string(text))
	if err != nil {
		http.Error(rw, "command is not hex", http.StatusBadRequest)
		return
	}
	end.expire.Reset(wireLife)
	response, err := end.transport.Transmit(r.Context(), command)
	if err != nil {
		http.Error(rw, fail.From(err).Code, http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(rw, hex.EncodeToString(response))
}

func (w *wire) disconnect(rw http.ResponseWriter, r *http.Request) {
	w.end(r.PathValue("id"))
	rw.WriteHeader(http.StatusNoContent)
}

func (w *wire) end(id string) {
	w.mu.Lock()
	end, ok := w.open[id]
	delete(w.open, id)
	w.mu.Unlock()
	if ok {
		end.expire.Stop()
		_ = end.transport.Close() // a virtual card always resets
	}
}

// Dial connects to a persona's card in the reader at base (http://127.0.0.1:9002).
func Dial(ctx context.Context, client *http.Client, base, persona string) (card.Transport, error) {
	id, err := roundTrip(ctx, client, http.MethodPost, base+"/wire/connect/"+persona, nil)
	var refused refusedError
	switch {
	case errors.As(err, &refused):
		return nil, refused
	case err != nil:
		return nil, fail.ReaderNone.Because(err)
	}
	return &remote{client: client, url: base + "/wire/" + id}, nil
}

// Clock asks the reader at base what time the sandbox has.
func Clock(ctx context.Context, client *http.Client, base string) (time.Time, error) {
	text, err := roundTrip(ctx, client, http.MethodGet, base+"/wire/clock", nil)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, text)
}

// remote is a Transport over the wire.
type remote struct {
	client *http.Client
	url    string
}

// Transmit sends one command.
func (r *remote) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	text, err := roundTrip(ctx, r.client, http.MethodPost, r.url, []byte(hex.EncodeToString(command)))
	if err != nil {
		return nil, fail.CardRemoved.Because(err)
	}
	return hex.DecodeString(text)
}

// Close resets the card.
func (r *remote) Close() error {
	_, err := roundTrip(context.Background(), r.client, http.MethodDelete, r.url, nil)
	return err
}

func roundTrip(ctx context.Context, client *http.Client, method, url string, body []byte) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil {
		return "", err
	}
	if resp.StatusCode >= 400 {
		return "", refusedError{strings.TrimSpace(string(out))}
	}
	return string(out), nil
}

// refusedError is what the card reader says against a call: no such persona, no such connection.
type refusedError struct{ text string }

func (e refusedError) Error() string { return "card reader: " + e.text }
