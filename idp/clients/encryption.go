package clients

import (
	"slices"

	"tegata/idp/jwe"
	"tegata/storage"
)

// encryption checks what is to be encrypted to the client, and that it can be where its keys are inline. Keys at a
// jwks_uri are looked at when somebody logs in: the client may publish the new one after it is registered.
func (r *registration) encryption(out *storage.ClientKeys) {
	for _, e := range []struct {
		what     string
		alg, enc string
		into     *storage.Encryption
	}{
		{"id_token", r.IDTokenEncAlg, r.IDTokenEnc, &out.IDTokenSeal},
		{"userinfo", r.UserInfoEncAlg, r.UserInfoEnc, &out.UserInfoSeal},
		{"authorization", r.ResponseEncAlg, r.ResponseEnc, &out.ResponseSeal},
		{"introspection", r.IntrospectEncAlg, r.IntrospectEnc, &out.IntrospectionSeal},
	} {
		field := e.what + "_encrypted_response_alg"
		switch {
		case e.alg == "" && e.enc != "":
			r.refuse(field, "is missing, and there is an enc for it.")
		case e.alg == "":
		case !slices.Contains(jwe.Algs, e.alg):
			r.checkAlg(field, e.alg, jwe.Algs)
		case out.JWKS == "" && out.JWKSURI == "":
			r.refuse("jwks", "is missing: "+field+" needs the client's public key to encrypt to, here or at jwks_uri.")
		case out.JWKSURI == "" && !canOpen(out.JWKS, e.alg):
			r.refuse("jwks", "has no key to encrypt to for "+field+" "+e.alg+" (use enc, or no use).")
		default:
			r.checkAlg(e.what+"_encrypted_response_enc", e.enc, jwe.Encs)
			*e.into = storage.Encryption{Alg: e.alg, Enc: orDefault(e.enc, jwe.DefaultEnc)}
		}
	}
}

func canOpen(set, alg string) bool {
	keys, _, err := ParseKeys([]byte(set))
	if err != nil {
		return true // which is told already
	}
	_, err = jwe.Pick(keys, alg)
	return err == nil
}
