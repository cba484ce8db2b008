package latest

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/revocation"
	"tegata/claims"
	"tegata/idp/outbox"
	"tegata/storage"
)

// Kind is the kind of the deliveries that the job makes.
const Kind = "latest_attributes"

const (
	feed  = "latest_attributes"
	hold  = 30 * time.Minute // a round is over long before; one that died is taken over after that
	batch = 50
)

// Message is the body of a delivery.
type Message struct {
	Consent string          `json:"consent"`
	Subject string          `json:"sub"`
	Claims  json.RawMessage `json:"claims"`
}

// store is what the job needs of storage.Store.
type store interface {
	storage.Latest
	Link(ctx context.Context, accountID, clientID string, sector storage.Sector) (storage.Link, error)
}

// authority answers about people who agreed; revocation.Latest does.
type authority interface {
	Register(ctx context.Context, q revocation.Question, id, text string, until time.Time) error
	Withdraw(ctx context.Context, id string) error
	News(ctx context.Context, place string) (revocation.News, error)
	Attributes(ctx context.Context, q revocation.Question, id, client string) (revocation.LatestAttributes, error)
}

// Job brings consents to the authority and changes to relying parties. Of all replicas one works at a time.
type Job struct {
	Store     store
	Authority authority
	Client    func(ctx context.Context, id string) (storage.Client, error) // enabled ones; fail.ClientUnknown
	Issuer    func(jpki.Number) *x509.Certificate                          // nil for an anchor that is not trusted any more
	Key       Key
	Period    time.Duration // how often the news are read; 0 never
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger
	Wake      func() // hears that a message is in the outbox
}

// Every is how often Once is to be called.
func (j *Job) Every() time.Duration { return max(min(j.Period/2, time.Minute), time.Second) }

// Once does a round if one is due and nobody else is at it. An authority that does not answer is no error: the next round
// goes on where this one stopped.
func (j *Job) Once(ctx context.Context) error {
	if j.Period <= 0 {
		return nil
	}
	now := j.Now()
	f, err := j.Store.TakeFeed(ctx, feed, now, now.Add(-j.Period), now.Add(hold))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	f, err = j.round(ctx, f)
	if errors.Is(err, fail.RevocationUnavailable) {
		err = nil
	}
	return errors.Join(err, j.Store.KeepFeed(context.WithoutCancel(ctx), f, j.Now(), true))
}

func (j *Job) round(ctx context.Context, f storage.Feed) (storage.Feed, error) {
	if err := j.forget(ctx); err != nil {
		return f, err
	}
	if err := j.register(ctx); err != nil {
		return f, err
	}
	for more := true; more; {
		news, err := j.Authority.News(ctx, f.Place)
		if err != nil {
			return f, refusalIsOutage(err)
		}
		for _, id := range news.Consents {
			if err := j.look(ctx, id); err != nil {
				return f, err
			}
		}
		f.Place, more = news.Place, news.More
		if err := j.Store.KeepFeed(ctx, f, j.Now(), false); err != nil {
			return f, err
		}
	}
	return f, nil
}

// refusalIsOutage: a feed that is refused cannot be read, whyever.
func refusalIsOutage(err error) error {
	if errors.Is(err, revocation.ErrLatestRefused) {
		return fail.RevocationUnavailable.Because(err)
	}
	return err
}

// forget tells the authority what has ended.
func (j *Job) forget(ctx context.Context) error {
	ids, err := j.Store.EndedLatest(ctx, batch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := j.Authority.Withdraw(ctx, id); err != nil && !errors.Is(err, revocation.ErrLatestRefused) {
			return err
		}
		if err := j.Store.DropEndedLatest(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// register tells the authority what was agreed to. A refusal is final: the certificate may have ended meanwhile.
func (j *Job) register(ctx context.Context) error {
	list, err := j.Store.UnregisteredLatest(ctx, j.Now(), batch)
	if err != nil {
		return err
	}
	for _, c := range list {
		q, ok := j.question(c)
		if !ok { // its anchor may come back
			continue
		}
		err := j.Authority.Register(ctx, q, c.ID, cmp.Or(c.Texts, Wording), c.ExpiresAt)
		if err != nil && !errors.Is(err, revocation.ErrLatestRefused) {
			return err
		}
		c.Registered = true
		if err := j.note(ctx, c, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// question names the certificate of a consent; not ok where nobody can be asked about it.
func (j *Job) question(c storage.LatestConsent) (revocation.Question, bool) {
	n, err := jpki.ParseNumber(c.Number)
	if err != nil {
		return revocation.Question{}, false
	}
	issuer := j.Issuer(n)
	return revocation.Question{Serial: n.Serial, Issuer: issuer, Purpose: revocation.PurposeLatest, Client: c.ClientID}, issuer != nil
}

// note writes about a consent, unless it has ended meanwhile.
func (j *Job) note(ctx context.Context, c storage.LatestConsent, d *storage.Delivery, r *storage.Release) error {
	if err := j.Store.NoteLatest(ctx, c, j.Now(), d, r); !errors.Is(err, storage.ErrStale) {
		return err
	}
	return nil
}

// look asks about one consent that the news name, if it still stands, and hands on what is new.
func (j *Job) look(ctx context.Context, id string) error {
	c, err := j.Store.LatestConsent(ctx, id, j.Now())
	if err != nil {
		return unless(err, storage.ErrNotFound)
	}
	client, err := j.Client(ctx, c.ClientID)
	if err != nil {
		return unless(err, fail.ClientUnknown, fail.ClientInactive)
	}
	link, err := j.Store.Link(ctx, c.AccountID, client.ID, client.Sectors())
	if err != nil {
		return err
	}
	items := still(client, c)
	q, ok := j.question(c)
	if !ok || link.Subject == "" || len(items) == 0 {
		return nil
	}
	attributes, err := j.Authority.Attributes(ctx, q, c.ID, client.ID)
	if err != nil {
		return unless(err, revocation.ErrLatestRefused)
	}
	person, err := claims.FromCertificate(claims.CertificateFields{
		Name: attributes.Name, NameSubstitution: attributes.NameSubstitution, Sex: attributes.Sex, Birth: attributes.Birth,
		Address: attributes.Address, AddressSubstitution: attributes.AddressSubstitution})
	if err != nil {
		j.Log.WarnContext(ctx, "latest attributes do not fit their profile", "event", "latest_unreadable", "cause", err.Error())
		return nil
	}
	return j.tell(ctx, c, link.Subject, person, items)
}

// still are the items of a consent that the client is still registered for.
func still(client storage.Client, c storage.LatestConsent) []claims.Item {
	if !client.Policy.LatestAttributes || client.LatestURI == "" {
		return nil
	}
	return Items(client, claims.Items(c.Items))
}

// unless hides errors that only say that there is nobody to ask about, or to tell.
func unless(err error, expected ...error) error {
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}

// tell puts what is new into the outbox, together with the note that it is known now and the line of the history.
func (j *Job) tell(ctx context.Context, c storage.LatestConsent, subject string, p claims.Person, items []claims.Item) error {
	known, err := DecodeKnown(c.Sent)
	if err != nil {
		return err
	}
	change := j.Key.Compare(c.ID, known, p, items, j.Now())
	if len(change.Items) == 0 {
		return nil
	}
	if c.Sent, err = change.Known.Encode(); err != nil {
		return err
	}
	body, err := json.Marshal(Message{c.ID, subject, change.Claims})
	if err != nil {
		return fmt.Errorf("latest: encode: %w", err)
	}
	delivery, line, err := j.written(c, change.Items, body)
	if err != nil {
		return err
	}
	if err := j.note(ctx, c, &delivery, &line); err != nil {
		return err
	}
	j.Wake()
	return nil
}

func (j *Job) written(c storage.LatestConsent, items []claims.Item, body []byte) (storage.Delivery, storage.Release, error) {
	one, err1 := authn.NewSecret(j.Rand)
	two, err2 := authn.NewSecret(j.Rand)
	now := j.Now()
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = string(item)
	}
	return storage.Delivery{ID: one.Reveal(), Kind: Kind, ClientID: c.ClientID, Body: body, CreatedAt: now, NextTry: now, GiveUp: now.Add(outbox.Life)},
		storage.Release{ID: two.Reveal(), AccountID: c.AccountID, ClientID: c.ClientID, At: now, Items: names, Method: []string{}, Outcome: storage.Updated},
		errors.Join(err1, err2)
}
