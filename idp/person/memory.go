package person

import (
	"context"
	"errors"
	"time"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// Memory is what is remembered of a person, as she may see it: what kinds of facts, not the facts.
type Memory struct {
	Items  []claims.Item
	Source claims.Source
	Until  time.Time
	Here   bool // the browser that asks brings it to mind
}

// Memory of the session's owner; nil when nothing is remembered. hint is her browser's cookie, if it has one.
func (d *Desk) Memory(ctx context.Context, own storage.Session, hint *authn.Secret) (*Memory, error) {
	stored, err := d.Store.Memory(ctx, own.AccountID, d.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, unavailable(err)
	}
	p, err := claims.DecodePerson(stored.Facts)
	if err != nil {
		return nil, fail.Internal.Because(err)
	}
	m := &Memory{Source: p.Source(), Until: stored.Until, Items: kinds(p)}
	if hint != nil {
		m.Here, err = d.mine(ctx, own, *hint)
	}
	return m, err
}

// kinds are the facts that a person has, by their names.
func kinds(p claims.Person) []claims.Item {
	var items []claims.Item
	for _, one := range []struct {
		item claims.Item
		has  bool
	}{
		{claims.ItemName, p.Name().Full() != ""}, {claims.ItemAddress, p.Address().Formatted() != ""},
		{claims.ItemBirthdate, p.Birth() != claims.PartialDate{}}, {claims.ItemGender, p.Gender() != ""},
	} {
		if one.has {
			items = append(items, one.item)
		}
	}
	return items
}

// mine says whether a hint brings the owner of the session to mind: another person's is none of her business.
func (d *Desk) mine(ctx context.Context, own storage.Session, hint authn.Secret) (bool, error) {
	m, err := d.Store.Hinted(ctx, hint.Hash(), d.Now())
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return false, nil
	case err != nil:
		return false, unavailable(err)
	}
	return m.AccountID == own.AccountID, nil
}

// Forget destroys what is remembered of the session's owner.
func (d *Desk) Forget(ctx context.Context, own storage.Session) error {
	if err := d.Store.Forget(ctx, own.AccountID); err != nil {
		return unavailable(err)
	}
	return nil
}

// ForgetHere makes this browser bring nobody to mind.
func (d *Desk) ForgetHere(ctx context.Context, hint authn.Secret) error {
	if err := d.Store.ForgetHint(ctx, hint.Hash()); err != nil {
		return unavailable(err)
	}
	return nil
}
