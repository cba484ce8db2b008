package idp

import (
	"tegata/authn"
	"tegata/claims"
	"tegata/idp/clients"
	"tegata/storage"
)

// RealmPath is where the Digital Authentication App has its issuer, below the host. Clients of the profile daa-compatible
// know us by that name.
const RealmPath = "/api/realms/main"

// IssuerOf is the name by which a client knows us.
func (p *Provider) IssuerOf(c storage.Client) string {
	if clients.DAA(c) {
		return p.Issuer + RealmPath
	}
	return p.Issuer
}

// ours says whether an issuer is one of our names.
func (p *Provider) ours(issuer string) bool {
	return issuer == p.Issuer || issuer == p.Issuer+RealmPath
}

// encoded is released data in the formats that a client knows.
func encoded(c storage.Client, set claims.Response) []byte {
	if clients.DAA(c) {
		return set.EncodeDAA()
	}
	return set.Encode()
}

// success are the parameters of a good answer. The Digital Authentication App adds a session_state; ours says nothing, and
// is another one every time.
func (p *Provider) success(c storage.Client, code authn.Secret) ([][2]string, error) {
	params := [][2]string{{"code", code.Reveal()}}
	if !clients.DAA(c) {
		return params, nil
	}
	state, err := authn.NewSecret(p.Rand)
	return append(params, [2]string{"session_state", state.Reveal()}), err
}
