package authn

import (
	"crypto/x509"
	"errors"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/jpki"
	"tegata/authn/statement"
	"tegata/claims"
	"tegata/storage"
)

// brought is the attribute evidence of one result: nothing, a signature certificate's, or card-info files.
type brought struct {
	ref    *statement.AttributesRef
	opened statement.Opened
	leaf   *x509.Certificate
	files  *card.CardInfoFiles
}

// openAttributes takes exactly the evidence that was asked for.
func (j *Judge) openAttributes(l storage.Login, r agent.ResultRequest) (brought, error) {
	asked := len(Operations(l.Request)) > 1
	switch {
	case !asked && r.Attributes == "" && r.CardInfo == nil:
		return brought{}, nil
	case asked && r.Attributes != "" && r.CardInfo == nil:
		o, err := statement.Open(r.Attributes, statement.AttributesType)
		if err != nil {
			return brought{}, err
		}
		return brought{ref: statement.CertificateRef(o.Leaf.Raw), opened: o, leaf: o.Leaf}, nil
	case asked && r.Attributes == "" && r.CardInfo != nil && len(j.Sources()) > 1 && opensCardInfo(r.CardInfo.Opened):
		f := card.CardInfoFiles{EF0002: r.CardInfo.Attributes, EF0003: r.CardInfo.Signature, EF0004: r.CardInfo.Certificate}
		ref := statement.CardInfoRef(f.EF0002, f.EF0003, f.EF0004)
		ref.Opened = r.CardInfo.Opened
		return brought{ref: ref, files: &f}, nil
	}
	return brought{}, fail.StatementMismatch.Because(errors.New("attribute evidence does not fit the request"))
}

// opensCardInfo knows the two ways to the four attributes. Which of them it was changes nothing in what is checked: the PIN
// of the login key has been entered either way, and the number is on the card that was there.
func opensCardInfo(opened string) bool { return opened == "" || opened == statement.NumberB }

// check holds the attributes statement to the login statement that it names. Together with CertificateRef in that one,
// the two name each other.
func (b brought) check(l storage.Login, login statement.Opened, issuer string, now time.Time) error {
	if b.leaf == nil {
		return nil
	}
	_, err := statement.ExpectAttributes(b.opened, statement.Attributes{
		Issuer: issuer, Login: l.ID, LoginStatement: login.Hash(), Declaration: statement.ShareAttributes, Nonce: encode(l.Nonce),
	}, now)
	return err
}

// facts reads the person out of the evidence, which was brought now; anchor is that of the last certificate in it.
func (j *Judge) facts(b brought, anchor *x509.Certificate) ([]byte, error) {
	switch {
	case b.leaf != nil:
		a, err := jpki.ReadAttributes(b.leaf)
		if err != nil {
			return nil, err
		}
		p, err := claims.FromCertificate(claims.CertificateFields{
			Name: a.Name, NameSubstitution: a.NameSubstitution, Sex: a.Sex, Birth: a.Birth,
			Address: a.Address, AddressSubstitution: a.AddressSubstitution})
		if err != nil {
			return nil, fail.CardDataBroken.Because(err)
		}
		return p.Read(j.Now(), jpki.NumberOf(b.leaf, anchor).Encode()).Encode(), nil
	case b.files != nil:
		verified, err := j.vouched(*b.files)
		if err != nil {
			return nil, err
		}
		info, err := card.ParseCardInfo(b.files.EF0002)
		if err != nil {
			return nil, err
		}
		p, err := claims.FromCardInfo(claims.CardInfoFields{Name: info.Name, Address: info.Address, Birth: info.Birth, Sex: info.Sex}, verified)
		if err != nil {
			return nil, fail.CardDataBroken.Because(err)
		}
		return p.Read(j.Now(), nil).Encode(), nil
	}
	return nil, nil
}

// vouched says whether an issuer vouches for card-info data, and refuses what contradicts itself. A false signature under a
// certificate of a known issuer is a forgery, and not merely something that nobody can check.
func (j *Judge) vouched(files card.CardInfoFiles) (bool, error) {
	err := card.VerifyCardInfo(files, j.CardInfoIssuers)
	if err == nil {
		return true, nil
	}
	if !j.TakeUnverified || errors.Is(err, fail.SignatureInvalid) {
		return false, err
	}
	return false, card.CheckCardInfo(files)
}
