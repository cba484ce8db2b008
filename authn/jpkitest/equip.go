package jpkitest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// isName allows what can be one segment of a URL.
func isName(s string) bool {
	return s != "" && len(s) <= 100 && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r == '/' || unicode.IsControl(r) })
}

// issuedCard is one card as the authority remembers it. Keys are PKCS #1, certificates DER.
type issuedCard struct {
	Persona  string
	Of       []byte // hash of what the card says about the persona
	Status   cardtest.Status
	Moved    bool // the signature certificate is revoked
	Replaced bool // the persona changed and got another card: all that is on this one is revoked
	Auth     issuedCertificate
	Sign     *issuedCertificate // nil: no signature certificate
	CardInfo []byte
	CVC      []byte
	Past     []pastCertificate // that were on this card before, oldest first: all revoked
	Address  string            // where the holder moved to; "" = as the persona's file says
	Name     string            // the holder's present one; "" = as the persona's file says
	Dead     bool              // all certificates are revoked for good
}

// pastCertificate was replaced by a renewal or a move.
type pastCertificate struct {
	Purpose jpki.Purpose
	issuedCertificate
}

type issuedCertificate struct {
	Serial     int64
	Generation int
	Key, Cert  []byte
}

// Equip puts keys and certificates on a persona's card. The same persona gets the same card every
// time; a changed one (moved, renamed, another status) gets a new card and the old one is revoked.
// The first time takes up to three RSA keys. Safe for concurrent use.
func (a *Authority) Equip(p cardtest.Persona) (cardtest.Material, error) {
	if !isName(p.ID) {
		return cardtest.Material{}, ErrPersonaName
	}
	if len(p.Birthdate) != len(time.DateOnly) {
		return cardtest.Material{}, errors.New("jpkitest: the persona does not come from the loader")
	}
	a.equipping.Lock()
	defer a.equipping.Unlock()
	of, err := digest(p) // of the file: who moved by a switch keeps the card of the file's address
	if err != nil {
		return cardtest.Material{}, err
	}
	a.remember(p)
	if card := a.cardOf(p.ID); card != nil && bytes.Equal(card.Of, of) {
		return a.material(card)
	}
	card, err := a.issueCard(p)
	if err != nil {
		return cardtest.Material{}, fmt.Errorf("jpkitest: cannot issue a card: %w", err)
	}
	card.Of = of
	if err := a.register(card); err != nil {
		return cardtest.Material{}, err
	}
	return a.material(card)
}

// digest covers what is on the card or decides what is: not the PINs, which are the holder's.
func digest(p cardtest.Persona) ([]byte, error) {
	said := []any{p.Name, p.NameSubstitution, p.Address, p.AddressSubstitution, p.Birthdate, p.Gender, p.SignatureCertificate, p.Status}
	if p.Moved { // for the others the hash is the one of earlier versions, so that their cards stay the same
		said = append(said, "moved")
	}
	data, err := json.Marshal(said)
	sum := sha256.Sum256(data)
	return sum[:], err
}

func (a *Authority) issueCard(p cardtest.Persona) (*issuedCard, error) {
	now := a.now()
	issued, signs := issuedAt(p, now), hasSignature(p, now)
	needed := 2
	if signs {
		needed = 3
	}
	keys, err := rsaKeys(needed)
	if err != nil {
		return nil, err
	}
	auth, err := a.issue(p, jpki.Authentication, keys[0], issued)
	if err != nil {
		return nil, err
	}
	cvc, err := cardtest.CertifyCardInfoKey(&keys[1].PublicKey, a.cardInfo)
	if err != nil {
		return nil, err
	}
	card := &issuedCard{Persona: p.ID, Status: p.Status, Moved: p.Moved, Auth: *auth, CardInfo: x509.MarshalPKCS1PrivateKey(keys[1]), CVC: cvc}
	if signs {
		card.Sign, err = a.issue(p, jpki.Signature, keys[2], issued)
	}
	return card, err
}

// hasSignature: by wish, or by age: signature certificates are issued from 15 (R24).
func hasSignature(p cardtest.Persona, now time.Time) bool {
	if p.SignatureCertificate != nil {
		return *p.SignatureCertificate
	}
	return age(p, now) >= 15
}

func (a *Authority) issue(p cardtest.Persona, purpose jpki.Purpose, key *rsa.PrivateKey, at time.Time) (*issuedCertificate, error) {
	template, err := a.leafTemplate(purpose)
	if err != nil {
		return nil, err
	}
	if purpose == jpki.Signature {
		names, err := attributes(p)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = append(template.ExtraExtensions, names)
	}
	if template.SerialNumber, err = a.unusedSerial(purpose); err != nil {
		return nil, err
	}
	point, err := distributionPoint(purpose, partitionOf(template.SerialNumber))
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, point)
	template.NotBefore, template.NotAfter = at, validUntil(p, at)
	issuer := a.issuerAt(purpose, at)
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.cert, key.Public(), issuer.key)
	if err != nil {
		return nil, err
	}
	return &issuedCertificate{
		Serial: template.SerialNumber.Int64(), Generation: issuer.generation, Key: x509.MarshalPKCS1PrivateKey(key), Cert: der,
	}, nil
}

// unusedSerial: all generations of a purpose share one space of numbers (card.md 2.5).
func (a *Authority) unusedSerial(purpose jpki.Purpose) (*big.Int, error) {
	for {
		n, err := a.serial()
		if err != nil {
			return nil, err
		}
		if card, _, _ := a.find(purpose, n); card == nil {
			return n, nil
		}
	}
}

// find looks a certificate up by its serial number; nil if this authority never issued it. past says that another
// certificate has taken its place on the card.
func (a *Authority) find(purpose jpki.Purpose, serial *big.Int) (card *issuedCard, cert *issuedCertificate, past bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	is := func(c *issuedCertificate) bool { return c != nil && serial.Cmp(big.NewInt(c.Serial)) == 0 }
	for _, card := range a.cards {
		if cert := card.of(purpose); is(cert) {
			return card, cert, purpose == jpki.Signature && card.Moved
		}
		for i := range card.Past {
			if was := &card.Past[i]; was.Purpose == purpose && is(&was.issuedCertificate) {
				return card, &was.issuedCertificate, true
			}
		}
	}
	return nil, nil, false
}

// of is the present certificate of a purpose; nil if there is none.
func (c *issuedCard) of(purpose jpki.Purpose) *issuedCertificate {
	if purpose == jpki.Signature {
		return c.Sign
	}
	return &c.Auth
}

// cardOf is the persona's present card; nil if there is none.
func (a *Authority) cardOf(persona string) *issuedCard {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.cards, func(c *issuedCard) bool { return c.Persona == persona && !c.Replaced })
	if i < 0 {
		return nil
	}
	return a.cards[i]
}

// register makes card the persona's present one.
func (a *Authority) register(card *issuedCard) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, old := range a.cards {
		old.Replaced = old.Replaced || old.Persona == card.Persona
	}
	a.cards = append(a.cards, card)
	return a.vault.save(a.snapshot())
}

func (a *Authority) material(card *issuedCard) (cardtest.Material, error) {
	keys, err := parseKeys(card.Auth.Key, card.CardInfo)
	if err != nil {
		return cardtest.Material{}, a.vault.broken()
	}
	m := cardtest.Material{
		AuthKey: keys[0], AuthCert: card.Auth.Cert, AuthCA: a.cas[jpki.Authentication][card.Auth.Generation-1].cert.Raw,
		CardInfoKey: keys[1], CardInfoCVC: card.CVC,
	}
	if card.Sign == nil {
		return m, nil
	}
	if keys, err = parseKeys(card.Sign.Key); err != nil {
		return cardtest.Material{}, a.vault.broken()
	}
	m.SignKey, m.SignCert, m.SignCA = keys[0], card.Sign.Cert, a.cas[jpki.Signature][card.Sign.Generation-1].cert.Raw
	return m, nil
}
