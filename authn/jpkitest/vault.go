package jpkitest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tegata/authn/jpki"
)

// vault is the folder of an authority; "" keeps nothing.
//
//	authority.json   everything, private keys included: only the owner may read it
//	anchors-auth.pem anchors-sign.pem card-info.pem platform.pem   what a provider's operator configures
type vault struct{ dir string }

// state is authority.json. Keys are PKCS #1, certificates DER.
type state struct {
	CAs         []caState // oldest generation first
	CardInfoKey []byte
	PlatformKey []byte // SEC 1; made when it is missing
	Cards       []*issuedCard
	Consents    map[string]latestConsent
	News        []latestNews
}

type caState struct {
	Purpose   jpki.Purpose
	Key, Cert []byte
}

const stateFile = "authority.json"

// open reads the state; nil without an error when there is none yet.
func (v vault) open() (*state, error) {
	if v.dir == "" {
		return nil, nil
	}
	data, err := os.ReadFile(filepath.Join(v.dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if json.Unmarshal(data, &s) != nil || len(s.CAs) == 0 {
		return nil, v.broken()
	}
	return &s, nil
}

func (v vault) broken() error {
	return fmt.Errorf("%s is not the state of a test authority: remove it to found a new one", filepath.Join(v.dir, stateFile))
}

// save replaces the state in one step, so that a crash leaves the old one.
func (v vault) save(s *state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return v.write(stateFile, data)
}

// publish writes what the outside configures.
func (v vault) publish(a *Authority) error {
	for _, purpose := range purposes {
		if err := v.write("anchors-"+short(purpose)+".pem", a.anchorsPEM(purpose)); err != nil {
			return err
		}
	}
	key, err := x509.MarshalPKIXPublicKey(a.CardInfoIssuer())
	if err != nil {
		return err
	}
	return errors.Join(
		v.write("card-info.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key})), v.write("platform.pem", a.platformPEM()))
}

// write makes files that only the owner may read: persona keys are fictional, habits are not.
func (v vault) write(name string, data []byte) error {
	if v.dir == "" {
		return nil
	}
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(v.dir, name+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), filepath.Join(v.dir, name))
}

// restore makes the authority what the state says.
func (a *Authority) restore(s *state) error {
	a.cas = map[jpki.Purpose][]*ca{}
	for _, saved := range s.CAs {
		key, errKey := x509.ParsePKCS1PrivateKey(saved.Key)
		cert, errCert := x509.ParseCertificate(saved.Cert)
		if errKey != nil || errCert != nil || !key.PublicKey.Equal(cert.PublicKey) {
			return a.vault.broken()
		}
		c := &ca{purpose: saved.Purpose, generation: len(a.cas[saved.Purpose]) + 1, cert: cert, key: key}
		if err := a.delegate(c); err != nil {
			return err
		}
		a.cas[saved.Purpose] = append(a.cas[saved.Purpose], c)
	}
	key, err := x509.ParsePKCS1PrivateKey(s.CardInfoKey)
	if err != nil || len(a.cas[jpki.Authentication]) == 0 || len(a.cas[jpki.Signature]) == 0 {
		return a.vault.broken()
	}
	for _, card := range s.Cards {
		if card == nil || !a.issued(jpki.Authentication, &card.Auth) || card.Sign != nil && !a.issued(jpki.Signature, card.Sign) {
			return a.vault.broken()
		}
	}
	a.cardInfo, a.cards, a.consents, a.news = key, s.Cards, s.Consents, s.News
	if a.consents == nil {
		a.consents = map[string]latestConsent{}
	}
	return a.restorePlatform(s.PlatformKey)
}

// issued says whether a remembered certificate belongs to a generation that exists.
func (a *Authority) issued(purpose jpki.Purpose, c *issuedCertificate) bool {
	return c.Generation >= 1 && c.Generation <= len(a.cas[purpose])
}

// snapshot is the state to save. The caller holds mu.
func (a *Authority) snapshot() *state {
	s := &state{CardInfoKey: x509.MarshalPKCS1PrivateKey(a.cardInfo), PlatformKey: a.platformDER(), Cards: a.cards, Consents: a.consents, News: a.news}
	for _, purpose := range purposes {
		for _, c := range a.cas[purpose] {
			s.CAs = append(s.CAs, caState{purpose, x509.MarshalPKCS1PrivateKey(c.key), c.cert.Raw})
		}
	}
	return s
}

func (a *Authority) anchorsPEM(purpose jpki.Purpose) []byte {
	var out []byte
	for _, cert := range a.certificates(purpose) {
		out = append(out, pemOf(cert.Raw)...)
	}
	return out
}

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func parseKeys(der ...[]byte) ([]*rsa.PrivateKey, error) {
	keys := make([]*rsa.PrivateKey, len(der))
	for i, d := range der {
		key, err := x509.ParsePKCS1PrivateKey(d)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}
