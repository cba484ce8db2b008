package jpkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"tegata/authn/cardtest"
	"tegata/authn/jpki"
)

// partitions is into how many lists the certificates of a generation fall. The real ones fall by municipality.
const partitions = 2

func partitionOf(serial *big.Int) int {
	return int(new(big.Int).Mod(serial, big.NewInt(partitions)).Int64())
}

// partitionName is the directory name that a certificate and its list share (card.md 2.4).
func partitionName(purpose jpki.Purpose, partition int) ([]byte, error) {
	ca, err := caName(purpose)
	if err != nil {
		return nil, err
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(ca, &name); err != nil {
		return nil, err
	}
	ou, cn := asn1.ObjectIdentifier{2, 5, 4, 11}, asn1.ObjectIdentifier{2, 5, 4, 3}
	return asn1.Marshal(append(name[:3:3],
		pkix.RelativeDistinguishedNameSET{{Type: ou, Value: "CRL Distribution Points"}},
		pkix.RelativeDistinguishedNameSET{{Type: ou, Value: "Tokyo-to"}},
		pkix.RelativeDistinguishedNameSET{{Type: cn, Value: fmt.Sprintf("Test-ku %d CRLDP", partition)}}))
}

// fullName is DistributionPointName's fullName with one directory name (RFC 5280 4.2.1.13), tagged as both extensions want it.
func fullName(purpose jpki.Purpose, partition int) (asn1.RawValue, error) {
	name, err := partitionName(purpose, partition)
	if err != nil {
		return asn1.RawValue{}, err
	}
	wrap := func(tag int, content []byte) []byte {
		der, e := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: content})
		if e != nil {
			err = e
		}
		return der
	}
	full := wrap(0, wrap(0, wrap(4, name)))
	return asn1.RawValue{FullBytes: full}, err
}

// distributionPoint is the extension that says on which list a certificate would stand. There is no URL in it.
func distributionPoint(purpose jpki.Purpose, partition int) (pkix.Extension, error) {
	name, err := fullName(purpose, partition)
	if err != nil {
		return pkix.Extension{}, err
	}
	value, err := asn1.Marshal([]struct{ Name asn1.RawValue }{{name}})
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 31}, Value: value}, err
}

// ListURLs are the lists of both purposes, all generations and partitions.
func (a *Authority) ListURLs() []string {
	var urls []string
	for _, purpose := range purposes {
		for _, c := range a.cas[purpose] {
			for partition := range partitions {
				urls = append(urls, fmt.Sprintf("%s/crl/%s/%d/%d.crl", a.baseURL, short(purpose), c.generation, partition))
			}
		}
	}
	return urls
}

func (a *Authority) serveList(w http.ResponseWriter, r *http.Request, purpose jpki.Purpose) {
	generation, err := strconv.Atoi(r.PathValue("generation"))
	var partition int
	if _, errFile := fmt.Sscanf(r.PathValue("file"), "%d.crl", &partition); err != nil || errFile != nil ||
		generation < 1 || generation > len(a.cas[purpose]) || partition < 0 || partition >= partitions || a.Fault() == FaultUnknown {
		http.NotFound(w, r)
		return
	}
	if !a.onTime(r) {
		return
	}
	list, err := a.list(a.cas[purpose][generation-1], partition)
	if err != nil {
		http.Error(w, "the list could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	w.Write(list)
}

// list signs the present revocations of one generation and partition.
func (a *Authority) list(issuer *ca, partition int) ([]byte, error) {
	name, err := fullName(issuer.purpose, partition)
	if err != nil {
		return nil, err
	}
	scope, err := asn1.Marshal(struct{ Name asn1.RawValue }{name})
	if err != nil {
		return nil, err
	}
	fault := a.Fault()
	now := a.now().UTC().Truncate(time.Second).Add(shift(fault))
	var key crypto.Signer = issuer.key
	by := issuer.cert
	if fault == FaultWrongKey {
		stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		copied := *issuer.cert
		copied.PublicKey, key, by = stranger.Public(), stranger, &copied
	}
	return x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(nextUpdate),
		RevokedCertificateEntries: a.entries(issuer, partition, now),
		ExtraExtensions:           []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: scope}},
	}, by, key)
}

// entries are all certificates of a generation and partition that are not good. Only a hold has a reason (R9).
func (a *Authority) entries(issuer *ca, partition int, now time.Time) []x509.RevocationListEntry {
	a.mu.Lock()
	defer a.mu.Unlock()
	var entries []x509.RevocationListEntry
	add := func(c *issuedCertificate, status cardtest.Status) {
		serial := big.NewInt(c.Serial)
		if c.Generation != issuer.generation || partitionOf(serial) != partition {
			return
		}
		entry := x509.RevocationListEntry{SerialNumber: serial, RevocationTime: now.AddDate(0, 0, -1)}
		switch status {
		case cardtest.Revoked:
		case cardtest.Suspended:
			entry.ReasonCode = 6 // certificateHold
		default:
			return
		}
		entries = append(entries, entry)
	}
	for _, card := range a.cards {
		if c := card.of(issuer.purpose); c != nil {
			add(c, a.statusNow(card, issuer.purpose == jpki.Signature && card.Moved))
		}
		for _, was := range card.Past {
			if was.Purpose == issuer.purpose {
				add(&was.issuedCertificate, cardtest.Revoked)
			}
		}
	}
	return entries
}
