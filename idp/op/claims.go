package op

import (
	"errors"
	"unicode/utf8"

	"tegata/authn/fail"
	"tegata/claims/ask"
	"tegata/idp/clients"
	"tegata/storage"
)

// claimsInto reads the claims parameter (OIDC Core 5.5). What its client may not ask is an error for its engineers before
// anyone is asked, as with scopes; what nobody knows is ignored. Its text may have line breaks, as JSON does.
func claimsInto(req *storage.AuthRequest, c storage.Client, sent []string) error {
	if len(sent) == 0 {
		return nil
	}
	if len(sent) > 1 || !utf8.ValidString(sent[0]) {
		return fail.RequestInvalid.At("claims")
	}
	asked, err := ask.Parse(sent[0])
	var malformed *ask.Error
	if errors.As(err, &malformed) {
		return fail.RequestInvalid.At(malformed.Path)
	}
	for _, one := range asked.All() {
		if !clients.MayAsk(c, one.Claim.Item()) {
			return fail.ScopeInvalid.At(one.Path)
		}
		req.Items = append(req.Items, string(one.Claim.Item()))
	}
	for _, one := range asked.InIDToken() {
		if !clients.InIDToken(c, one.Claim.Item()) {
			return fail.BeyondPolicy.At(one.Path)
		}
	}
	req.Claims = []byte(sent[0])
	return nil
}
