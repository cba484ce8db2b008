package gormstore

import (
	"fmt"

	"tegata/storage/seal"
)

// place names a sealed column; with the row's id it is the context that its values are bound to.
type place struct{ table, column string }

var (
	loginFacts    = place{"logins", "facts"}
	loginClaims   = place{"logins", "request.claims"} // inside of the request, which is a document
	loginCard     = place{"logins", "card"}
	loginSignCard = place{"logins", "sign_card"}
	cardOf        = place{"credentials", "card"}
	sessionFacts  = place{"sessions", "facts"}
	grantIDToken  = place{"grants", "id_token"}
	grantUserInfo = place{"grants", "user_info"}
	keyPrivate    = place{"signing_keys", "private"}
	pushedParams  = place{"pushed", "params"}
	releasesEntry = place{"releases", "entry"}
	toldLedger    = place{"told", "ledger"}
	deliveryBody  = place{"outbox", "body"}
	factKey       = place{"fact_keys", "fact_key"}
	remembered    = place{"remembered", "facts"}
	latestNumber  = place{"latest_consents", "number"}
	latestSent    = place{"latest_consents", "sent"}
)

// sealed is plain as the column at p of row id keeps it. Nothing stays nothing.
func (s *Store) sealed(p place, id string, plain []byte) (blob, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	out, err := s.seal.Seal(plain, seal.Context(p.table, p.column, id))
	if err != nil {
		return nil, fmt.Errorf("gormstore: %s.%s: %w", p.table, p.column, err)
	}
	return out, nil
}

// opened undoes sealed. A value that was altered, or moved from another row, is an error and not an empty fact.
func (s *Store) opened(p place, id string, sealed blob) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	out, err := s.seal.Open(sealed, seal.Context(p.table, p.column, id))
	if err != nil {
		return nil, fmt.Errorf("gormstore: %s.%s: %w", p.table, p.column, err)
	}
	return out, nil
}
