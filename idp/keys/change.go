package keys

import (
	"context"
	"errors"
	"fmt"

	"tegata/storage"
)

// Rotate adds a key that starts to sign after PublishAhead and ends the present one at that moment. ErrRaced.
func (r *Ring) Rotate(ctx context.Context, alg string) (storage.SigningKey, error) {
	if err := r.Load(ctx); err != nil {
		return storage.SigningKey{}, err
	}
	next, err := r.generate(alg, r.now().Add(PublishAhead))
	if err != nil {
		return storage.SigningKey{}, err
	}
	var put []storage.SigningKey
	if old, ok := r.openEnded(alg); ok {
		old.RetireAt = next.ActivateAt
		put = append(put, old)
	}
	return next, r.change(ctx, nil, append(put, next)...)
}

// Revoke takes a key away that others may have got hold of: it signs and verifies nothing from now on, and every
// replica stops publishing it within Refresh. If it was the one that signs, the next one does at once, or a new one
// that no relying party has seen yet. The result is the key that signs now. ErrUnknown, ErrRaced.
func (r *Ring) Revoke(ctx context.Context, id string) (storage.SigningKey, error) {
	if err := r.Load(ctx); err != nil {
		return storage.SigningKey{}, err
	}
	bad, ok := r.byID(id)
	if !ok {
		return storage.SigningKey{}, ErrUnknown
	}
	put, err := r.heir(bad)
	if err != nil {
		return storage.SigningKey{}, err
	}
	if err := r.change(ctx, []string{id}, put...); err != nil {
		return storage.SigningKey{}, err
	}
	signs, ok := r.active(bad.Alg)
	if !ok {
		return storage.SigningKey{}, ErrNoKey
	}
	return signs.SigningKey, nil
}

// heir gives the change that leaves a signer and an open-ended key when bad is gone; nothing where it did not matter.
func (r *Ring) heir(bad storage.SigningKey) ([]storage.SigningKey, error) {
	now := r.now()
	if stateOf(bad, now) == Retired {
		return nil, nil
	}
	for _, e := range r.entries() {
		k := e.SigningKey
		switch {
		case k.Alg != bad.Alg || k.ID == bad.ID:
		case stateOf(bad, now) == Next && k.RetireAt.Equal(bad.ActivateAt): // the one before it goes on
			k.RetireAt = bad.RetireAt
			return []storage.SigningKey{k}, nil
		case stateOf(bad, now) == Active && k.ActivateAt.Equal(bad.RetireAt): // the one that waits behind it
			k.ActivateAt = r.atOnce()
			return []storage.SigningKey{k}, nil
		}
	}
	k, err := r.generate(bad.Alg, r.atOnce())
	return []storage.SigningKey{k}, err
}

func (r *Ring) change(ctx context.Context, gone []string, put ...storage.SigningKey) error {
	err := r.Store.ChangeSigningKeys(ctx, gone, put...)
	if errors.Is(err, storage.ErrExists) {
		return ErrRaced
	}
	if err != nil {
		return fmt.Errorf("keys: write: %w", err)
	}
	return r.Load(ctx)
}
