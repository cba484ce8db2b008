package idp

import (
	"context"
	"errors"

	"tegata/authn/fail"
	"tegata/claims/ledger"
	"tegata/storage"
)

// inherit has what sectors were told of the new account, as by clients that know nobody twice, count as told of the
// earlier one: a renewed card is no second chance to ask.
func (p *Provider) inherit(ctx context.Context, r *storage.Renewal) error {
	fresh, err1 := p.Store.Ledgers(ctx, r.From)
	old, err2 := p.Store.Ledgers(ctx, r.Login.AccountID)
	if err := errors.Join(err1, err2); err != nil {
		return unavailable(err)
	}
	before := map[string]storage.Told{}
	for _, l := range old {
		before[l.Sector] = l.Told
	}
	for _, l := range fresh {
		was := before[l.Sector]
		merged, err := mergeLedgers(was.Ledger, l.Ledger)
		if err != nil {
			return fail.Internal.Because(err)
		}
		text, err := merged.Encode()
		if err != nil {
			return fail.Internal.Because(err)
		}
		r.Told = append(r.Told, storage.Merged{Gone: l.Version, Ledger: storage.Ledger{Sector: l.Sector, Told: storage.Told{
			Version: was.Version + 1, Ledger: text, Expires: merged.Expires().Begins()}}})
	}
	return nil
}

func mergeLedgers(a, b []byte) (ledger.Ledger, error) {
	one, err1 := ledger.Decode(a)
	other, err2 := ledger.Decode(b)
	return one.Merge(other), errors.Join(err1, err2)
}
