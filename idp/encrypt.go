package idp

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"tegata/authn/fail"
	"tegata/idp/jwe"
	"tegata/storage"
)

// envelope is how one thing goes to one client: encrypted to a key of its, or as it is (the zero envelope).
type envelope struct {
	storage.Encryption
	key jose.JSONWebKey
}

// envelope finds the key that a client wants something encrypted to. fail.EncryptionKeyNone.
func (p *Provider) envelope(ctx context.Context, c storage.Client, e storage.Encryption) (envelope, error) {
	if e.Alg == "" {
		return envelope{}, nil
	}
	keys, err := p.ClientKeys.Of(ctx, c, "")
	if err != nil {
		return envelope{}, fail.EncryptionKeyNone.Because(err)
	}
	key, err := jwe.Pick(keys, e.Alg)
	if err != nil {
		return envelope{}, fail.EncryptionKeyNone.Because(err)
	}
	return envelope{e, key}, nil
}

// nest puts a signed token into the envelope.
func (e envelope) nest(signed string, err error) (string, error) {
	if err != nil || e.Alg == "" {
		return signed, err
	}
	return jwe.Nested(signed, e.key, e.Alg, e.Enc)
}

// CanEncrypt says whether all that a client wants encrypted can be, before a person is asked for anything: a missing key
// is for the client's engineers. fail.EncryptionKeyNone.
func (p *Provider) CanEncrypt(ctx context.Context, c storage.Client, r storage.AuthRequest) error {
	wanted := []storage.Encryption{c.Keys.IDTokenSeal, c.Keys.UserInfoSeal}
	if _, signed := signedMode(r.ResponseMode); signed {
		wanted = append(wanted, c.Keys.ResponseSeal)
	}
	for _, e := range wanted {
		if _, err := p.envelope(ctx, c, e); err != nil {
			return err
		}
	}
	return nil
}

// Encrypted says whether a token is one that only its receiver can open: five parts (RFC 7516 section 9).
func Encrypted(compact string) bool { return strings.Count(compact, ".") == 4 }

// Document is an answer with its media type.
type Document struct {
	Body []byte
	Type string
}

// addressed turns userinfo into what its client registered: JSON, or a JWT that is signed, encrypted or both (OIDC Core
// 5.3.2). payload has the claims, with iss and aud in a JWT.
func (p *Provider) addressed(ctx context.Context, c storage.Client, payload []byte) (Document, error) {
	if c.Keys.UserInfoAlg == "" && c.Keys.UserInfoSeal.Alg == "" {
		return Document{payload, "application/json"}, nil
	}
	to, err := p.envelope(ctx, c, c.Keys.UserInfoSeal)
	if err != nil {
		return Document{}, err
	}
	var token string
	if c.Keys.UserInfoAlg == "" {
		token, err = jwe.Claims(payload, to.key, to.Alg, to.Enc)
	} else {
		token, err = to.nest(p.Keys.Sign(c.Keys.UserInfoAlg, payload))
	}
	if err != nil {
		return Document{}, fmt.Errorf("idp: userinfo: %w", err)
	}
	return Document{[]byte(token), "application/jwt"}, nil
}
