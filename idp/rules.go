package idp

import (
	"context"
	"errors"
	"slices"

	"tegata/authn"
	"tegata/authn/fail"
	"tegata/claims"
	"tegata/storage"
)

// responses are what leaves, to the byte, with the names of the items in it.
type responses struct {
	idToken, userInfo []byte
	items             []string
}

// responsesTo applies the relying party's rules of abort and omit to what the person has agreed to send; abort says that
// it wants nothing of that.
func responsesTo(l storage.Login, c storage.Client, agreed []claims.Item, r claims.Released) (out responses, abort bool, err error) {
	out = responses{r.IDToken.Encode(), encoded(c, r.UserInfo), sent(agreed, r)}
	asked, err := parsed(l.Request.Claims)
	if err != nil || !asked.Rules.Given {
		return out, false, err
	}
	left, err := asked.Rules.Settle(out.idToken, out.userInfo)
	if err != nil {
		return out, false, fail.Internal.Because(err)
	}
	out.idToken, out.userInfo = left.IDToken, left.UserInfo
	out.items = slices.DeleteFunc(out.items, func(name string) bool { return !slices.Contains(left.Items, claims.Item(name)) })
	return out, left.Abort, nil
}

// abort ends a login of which its relying party wants nothing. It looks like one that the person has declined: nothing of
// it is remembered, there is no session, and the answer is the same to the last byte. Only the ledger has heard that a
// question was answered.
func (p *Provider) abort(ctx context.Context, l storage.Login, stored bool, c storage.Client, told *storage.Ledger) (Step, error) {
	a := storage.Approval{Grant: storage.Grant{AccountID: l.AccountID, ClientID: c.ID, CreatedAt: p.Now()}, Told: told}
	var err error
	if a.Release, err = p.history(l, storage.Aborted, []string{}); err != nil {
		return Step{}, err
	}
	if stored {
		done, err := authn.Cancel(l)
		if err != nil {
			return Step{}, err
		}
		a.Login, l = &done, done
	}
	switch err := p.Store.ApproveLogin(ctx, a); {
	case errors.Is(err, storage.ErrStale):
		return Step{}, err
	case err != nil:
		return Step{}, unavailable(err)
	}
	p.logins.drop(l.ID)
	return p.leave(Step{Login: l, Client: c, Err: fail.UserCancelled})
}
