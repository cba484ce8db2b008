package claims

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"time"
)

// ErrEncoding: stored bytes are not what this package wrote. The text carries no part of them.
var ErrEncoding = errors.New("claims: stored bytes are unreadable")

// sealedVersion goes up when the form of the sealed column changes.
const sealedVersion = 1

// sealed is the form of a Person inside the sealed column. It leaves this file only as bytes.
type sealed struct {
	Version         int    `json:"v"`
	Source          Source `json:"source,omitempty"`
	Verified        bool   `json:"verified,omitempty"`
	Name            string `json:"name,omitempty"`
	NameReplaced    string `json:"name_replaced,omitempty"`
	Address         string `json:"address,omitempty"`
	AddressReplaced string `json:"address_replaced,omitempty"`
	Gender          Gender `json:"gender,omitempty"`
	Birth           string `json:"birth"`
	ReadAt          int64  `json:"read_at,omitempty"` // Unix seconds
	Proof           string `json:"proof,omitempty"`   // base64
}

// Encode gives the bytes for the sealed column: they are personal data in the clear until sealed.
func (p Person) Encode() []byte {
	f := p.known()
	var at int64
	if !f.read.IsZero() {
		at = f.read.Unix()
	}
	return encode(sealed{
		ReadAt:          at,
		Proof:           base64.StdEncoding.EncodeToString([]byte(f.proof)),
		Version:         sealedVersion,
		Source:          f.source,
		Verified:        f.verified,
		Name:            f.name.full,
		NameReplaced:    f.name.replaced,
		Address:         f.address.formatted,
		AddressReplaced: f.address.replaced,
		Gender:          f.gender,
		Birth:           f.birth.ISO(),
	})
}

// DecodePerson reads what Encode wrote and holds it to the same rules as fresh attributes. Error: ErrEncoding.
func DecodePerson(b []byte) (Person, error) {
	var s sealed
	if !decode(b, &s) || s.Version != sealedVersion || !s.valid() {
		return Person{}, ErrEncoding
	}
	birth, err := ParseISO(s.Birth)
	if err != nil {
		return Person{}, ErrEncoding
	}
	proof, err := base64.StdEncoding.DecodeString(s.Proof)
	if err != nil {
		return Person{}, ErrEncoding
	}
	var at time.Time
	if s.ReadAt != 0 {
		at = time.Unix(s.ReadAt, 0).UTC()
	}
	p, err := newPerson(facts{
		read:     at,
		proof:    string(proof),
		name:     Name{full: s.Name, replaced: s.NameReplaced},
		address:  Address{formatted: s.Address, replaced: s.AddressReplaced},
		gender:   s.Gender,
		birth:    birth,
		source:   s.Source,
		verified: s.Verified,
	})
	if err != nil {
		return Person{}, ErrEncoding
	}
	return p, nil
}

// valid checks the words that no constructor checks. A source that is verified cannot be made of one that is not. Only the zero Person has no source.
func (s sealed) valid() bool {
	gender := s.Gender == "" || s.Gender == Male || s.Gender == Female
	source := (s.Source == SignatureCertificate || s.Source == CardInfo) && s.Verified || s.Source == CardInfoUnverified && !s.Verified
	nobody := s == sealed{Version: sealedVersion, Birth: PartialDate{}.ISO()}
	return gender && (source || nobody)
}

// encode marshals one of our own structs of strings and booleans, which cannot fail.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("claims: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// decode reads exactly one JSON value without unknown members into v.
func decode(b []byte, v any) bool {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}
