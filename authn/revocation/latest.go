package revocation

import (
	"context"
	"errors"
	"slices"
	"time"

	"tegata/authn/fail"
)

// PurposeLatest is the purpose of a question for someone's latest four attributes, for bill and circuit.
const PurposeLatest = "latest_attributes"

// PurposeFeed is that of what comes with it and costs nothing: consents, and the news of who has changed.
const PurposeFeed = "latest_feed"

const (
	consentPath    = "/v1/consent"
	withdrawPath   = "/v1/withdraw"
	changesPath    = "/v1/changes"
	attributesPath = "/v1/attributes"
)

// maxNews bounds what one answer of the change feed may name.
const maxNews = 1000

// ErrLatestRefused: the authority gives nothing for a consent. It may have ended there, or the person may be out of its
// reach; the reason is not told, and nobody is to guess at it (R9).
var ErrLatestRefused = errors.New("revocation: nothing is given for this consent")

// LatestAttributes are the four attributes as a signature certificate has them; Sex, Birth and the maps have its forms.
type LatestAttributes struct {
	Name                string `json:"name"`
	NameSubstitution    string `json:"name_substitution"`
	Sex                 string `json:"sex"`
	Birth               string `json:"birth"`
	Address             string `json:"address"`
	AddressSubstitution string `json:"address_substitution"`
}

// News are the consents whose people's attributes may have changed since a place in the feed.
type News struct {
	Consents []string
	Place    string // where to read on
	More     bool   // there are more already
}

// Latest asks a platform operator for the latest four attributes of people who agreed to it (R11). Errors are
// fail.RevocationUnavailable with the cause inside, or ErrLatestRefused.
type Latest struct {
	Platform *Platform
	Breaker  *Breaker // its Next is not used
	Ledger   *Ledger  // nil counts nothing
}

// Register tells the operator of a consent: by which id it will be named, to which text it was given, and when it ends. q has
// the number of the signature certificate that it was given with.
func (l *Latest) Register(ctx context.Context, q Question, id, text string, until time.Time) error {
	about, err := about(q)
	if err != nil {
		return fail.RevocationUnavailable.Because(err)
	}
	about.Reference, about.Consent, about.Until = id, text, until.UTC().Format(time.RFC3339)
	_, err = l.ask(ctx, PurposeFeed, consentPath, about)
	return err
}

// Withdraw has the operator forget a consent. One that it does not know is forgotten already.
func (l *Latest) Withdraw(ctx context.Context, id string) error {
	_, err := l.ask(ctx, PurposeFeed, withdrawPath, platformQuestion{Reference: id})
	return err
}

// News reads on from a place of the change feed, "" from its start.
func (l *Latest) News(ctx context.Context, place string) (News, error) {
	in, err := l.ask(ctx, PurposeFeed, changesPath, platformQuestion{Cursor: place})
	switch {
	case err != nil:
		return News{}, err
	case in.Cursor == "" || len(in.References) > maxNews || in.More && in.Cursor == place:
		return News{}, fail.RevocationUnavailable.Because(errJSON)
	}
	return News{Consents: slices.Compact(slices.Sorted(slices.Values(in.References))), Place: in.Cursor, More: in.More}, nil
}

// Attributes asks for the attributes of a consent's person. It is counted for client, whatever comes of it.
func (l *Latest) Attributes(ctx context.Context, q Question, id, client string) (LatestAttributes, error) {
	about, err := about(q)
	if err != nil {
		return LatestAttributes{}, fail.RevocationUnavailable.Because(err)
	}
	about.Reference = id
	if l.Ledger != nil {
		l.Ledger.count(Question{Purpose: PurposeLatest, Client: client})
	}
	in, err := l.ask(ctx, PurposeLatest, attributesPath, about)
	switch {
	case err != nil:
		return LatestAttributes{}, err
	case in.Attributes == nil:
		return LatestAttributes{}, fail.RevocationUnavailable.Because(errJSON)
	}
	return *in.Attributes, nil
}

// ask keeps a refusal apart from an outage: the circuit stays closed, the operator is there.
func (l *Latest) ask(ctx context.Context, purpose, path string, q platformQuestion) (platformAnswer, error) {
	var in platformAnswer
	refused := false
	err := l.Breaker.do(ctx, purpose, func() error {
		var err error
		in, err = l.Platform.ask(ctx, path, q)
		refused = errors.Is(err, errRefusedRequest)
		if refused {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return platformAnswer{}, fail.RevocationUnavailable.Because(err)
	case refused:
		return platformAnswer{}, ErrLatestRefused
	}
	return in, nil
}
