package storagetest

import (
	"crypto/sha256"
	"time"

	"tegata/storage"
)

// tokyo is where the callers' clocks are.
var tokyo = time.FixedZone("JST", 9*60*60)

func hash(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// client has every field filled in.
func client(id string) storage.Client {
	return storage.Client{
		ID: id, Name: "Shop <&> " + id, NameJa: "name in ja", URI: "https://shop.example", RedirectURIs: []string{"https://shop.example/cb", "http://127.0.0.1/cb"},
		About: storage.ClientAbout{Contacts: []string{"dev@shop.example"}, LogoURI: "https://shop.example/logo", PolicyURI: "https://shop.example/policy",
			TermsURI: "https://shop.example/terms", SoftwareID: "till", SoftwareVersion: "4", Localized: map[string]string{"client_name#en": "Shop"}},
		PostLogoutRedirectURIs: []string{"https://shop.example/bye"}, AuthMethod: "client_secret_basic",
		SecretHashes: [][]byte{hash("one"), hash("two")}, Scopes: []string{"openid", "age_over_18"}, IDTokenAlg: "ES256",
		Policy: storage.ClientPolicy{Items: map[string]storage.ItemPolicy{"age_over_18": {Purpose: "to sell", PurposeJa: "to sell, in ja"}}, Predicates: 2, TellsNo: true,
			Source: "signature_certificate", ByDay: []string{"age_over_18"}, Retention: "until you leave", RetentionJa: "the same in ja"},
		Keys: storage.ClientKeys{JWKS: `{"keys": []}`, JWKSURI: "https://shop.example/jwks", AssertionAlg: "ES256", RequestAlg: "PS256", ResponseAlg: "RS256", UserInfoAlg: "PS256", IntrospectAlg: "EdDSA",
			IDTokenSeal: storage.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"}, UserInfoSeal: storage.Encryption{Alg: "RSA-OAEP-256", Enc: "A128CBC-HS256"},
			ResponseSeal: storage.Encryption{Alg: "ECDH-ES+A128KW", Enc: "A128GCM"}, IntrospectionSeal: storage.Encryption{Alg: "ECDH-ES+A256KW", Enc: "A256CBC-HS512"}},
		TLS: storage.ClientTLS{SubjectDN: "CN=shop", SANDNS: "shop.example", SANURI: "https://shop.example", SANIP: "192.0.2.1",
			SANEmail: "shop@shop.example", Bound: true},
		Logout: storage.ClientLogout{BackURI: "https://shop.example/back", BackSID: true}, LatestURI: "https://shop.example/changes",
		RequirePAR: true, RequireSignedRequest: true, DPoPBound: true, WithoutPKCE: true, DefaultMaxAge: new(int64), RequireAuthTime: true,
		Sector: "shop.example", Owner: "owner.example", SubjectType: "transient", Profile: "age-only", Purpose: "to check your age", PurposeJa: "purpose in ja", Disabled: true,
		Registration: storage.Registered{Pending: true, By: "partners", TokenHash: hash("registration token"), Metadata: `{"client_name":"Shop"}`},
		CreatedAt:    now.Add(-time.Hour), UpdatedAt: now,
	}
}

// fullLogin has every field filled in, as no login of the state machine has.
func fullLogin(id string) storage.Login {
	maxAge := int64(0) // means something else than no max_age
	return storage.Login{
		ID: id, Version: 1, State: storage.Failed, ClientID: "shop",
		Request: storage.AuthRequest{RedirectURI: "https://shop.example/cb", ResponseMode: "query", Scopes: []string{"openid"},
			State: "a \x00 of <&> and \u2028", Nonce: "nonce", CodeChallenge: "challenge", Prompt: []string{"login"},
			Subject: "subject", DPoPKey: hash("key"), Pushed: hash("request_uri"), Recall: "account", Without: []string{"signature_certificate"}, Printed: true, MaxAge: &maxAge, UILocales: []string{"ja", "en"},
			Claims: []byte(`{"userinfo":{"name":null}}`), ClaimsLocales: []string{"ja-Hani-JP"}, Items: []string{"name"}, Subjects: []string{"subject"},
			ACR: []string{"aal3"}, TellAuthTime: true},
		BrowserHash: hash("browser"), CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute),
		TicketHash: hash("ticket"), TicketExpires: now.Add(2 * time.Minute), TicketSerial: 3,
		AgentKey: []byte(`{"kty":"EC"}`), AgentVersion: "1.2.3", ReturnTo: "http://127.0.0.1:7/r/x", Nonce: hash("nonce"),
		Number: "42", Progress: "pin_wrong", Tries: 2, AccountID: "account", AuthTime: now.Add(-time.Second),
		ACR: "urn:acr", AMR: []string{"sc", "pin"}, Facts: []byte(`{"birthdate":"x"}`), Card: []byte("card"), SignCard: []byte("sign"), CompletionHash: hash("completion"),
		CompletionExpires: now.Add(time.Minute), SessionID: "session", Failure: "pin_locked",
	}
}

// newLogin is a login as a browser starts it.
func newLogin(id string) storage.Login {
	return storage.Login{
		ID: id, Version: 1, State: storage.Created, ClientID: "shop", BrowserHash: hash("browser " + id),
		Request:   storage.AuthRequest{RedirectURI: "https://shop.example/cb", Scopes: []string{"openid"}},
		CreatedAt: now, ExpiresAt: now.Add(10 * time.Minute), Tries: -1,
	}
}

// next is the login one version later, in another state.
func next(l storage.Login, state storage.LoginState) storage.Login {
	l.Version++
	l.State = state
	return l
}

func credential(serial, account string) storage.Credential {
	return storage.Credential{Index: hash(serial), AccountID: account, Card: []byte(serial), SeenAt: now}
}

func session(id, account string) storage.Session {
	return storage.Session{
		ID: id, AccountID: account, AuthTime: now.Add(-time.Minute), ACR: "urn:acr", AMR: []string{"sc"},
		Facts: []byte(`{"birthdate":"x"}`), Browser: "Firefox, Linux", CreatedAt: now.Add(-time.Second), SeenAt: now, ExpiresAt: now.Add(8 * time.Hour),
	}
}

// grant has every field filled in but those that come with redemption and revocation. Its code is hash(id).
func grant(id, account, session string) storage.Grant {
	return storage.Grant{
		ID: id, ClientID: "shop", AccountID: account, SessionID: session, Subject: "subject of " + account,
		Scopes: []string{"openid", "age_over_18"}, Nonce: "nonce", RedirectURI: "https://shop.example/cb", CodeChallenge: "challenge",
		AuthTime: now.Add(-time.Minute), ACR: "urn:acr", AMR: []string{"sc"}, TellAuthTime: true,
		IDToken: []byte(`{"age_over_18":true}`), UserInfo: []byte(`{"name":"x"}`), CodeHash: hash(id), CodeExpires: now.Add(time.Minute),
		CreatedAt: now,
	}
}

// answer is an approval of login with a new session.
func answer(login *storage.Login, g storage.Grant) storage.Approval {
	s := session(g.SessionID, g.AccountID)
	return storage.Approval{Login: login, Grant: g, Sector: "shop.example", Items: []string{"age_over_18"}, Texts: "en-1", Session: &s}
}
