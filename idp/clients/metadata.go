package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"tegata/storage"
)

// Secret is a client secret in the clear. It prints as stars; string(s) is the explicit way to it.
type Secret string

// Format prints stars for every verb.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "***") }

// LogValue logs stars.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// Metadata is what someone says about a client, before any rule has looked at it. Names are those of RFC 7591 and
// OIDC Registration; purpose, profile and policy are ours (R25). Absent members have the defaults that Rules.Client fills in.
type Metadata struct {
	ClientID               string   `json:"client_id,omitempty"`
	ClientSecret           Secret   `json:"client_secret,omitempty"`
	ClientName             string   `json:"client_name,omitempty"`
	ClientNameJa           string   `json:"client_name#ja,omitempty"`
	ClientURI              string   `json:"client_uri,omitempty"`
	LogoURI                string   `json:"logo_uri,omitempty"`
	PolicyURI              string   `json:"policy_uri,omitempty"`
	TermsURI               string   `json:"tos_uri,omitempty"`
	Contacts               []string `json:"contacts,omitempty"`
	SoftwareID             string   `json:"software_id,omitempty"`
	SoftwareVersion        string   `json:"software_version,omitempty"`
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	AuthMethod             string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes             []string `json:"grant_types,omitempty"`
	ResponseTypes          []string `json:"response_types,omitempty"`
	Scope                  string   `json:"scope,omitempty"` // separated by spaces
	IDTokenAlg             string   `json:"id_token_signed_response_alg,omitempty"`
	SubjectType            string   `json:"subject_type,omitempty"`
	SectorIdentifierURI    string   `json:"sector_identifier_uri,omitempty"`
	ApplicationType        string   `json:"application_type,omitempty"` // web (default) or native
	Purpose                string   `json:"purpose,omitempty"`
	PurposeJa              string   `json:"purpose#ja,omitempty"`

	Profile string               `json:"profile,omitempty"`
	Policy  storage.ClientPolicy `json:"policy,omitzero"`

	JWKS                 json.RawMessage `json:"jwks,omitempty"`
	JWKSURI              string          `json:"jwks_uri,omitempty"`
	AssertionAlg         string          `json:"token_endpoint_auth_signing_alg,omitempty"`
	RequestAlg           string          `json:"request_object_signing_alg,omitempty"`
	ResponseAlg          string          `json:"authorization_signed_response_alg,omitempty"`
	UserInfoAlg          string          `json:"userinfo_signed_response_alg,omitempty"`
	IntrospectAlg        string          `json:"introspection_signed_response_alg,omitempty"` // RFC 9701 section 6, as the next
	IDTokenEncAlg        string          `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEnc           string          `json:"id_token_encrypted_response_enc,omitempty"`
	UserInfoEncAlg       string          `json:"userinfo_encrypted_response_alg,omitempty"`
	UserInfoEnc          string          `json:"userinfo_encrypted_response_enc,omitempty"`
	ResponseEncAlg       string          `json:"authorization_encrypted_response_alg,omitempty"` // JARM section 3
	ResponseEnc          string          `json:"authorization_encrypted_response_enc,omitempty"`
	IntrospectEncAlg     string          `json:"introspection_encrypted_response_alg,omitempty"`
	IntrospectEnc        string          `json:"introspection_encrypted_response_enc,omitempty"`
	RequireSignedRequest bool            `json:"require_signed_request_object,omitempty"`
	RequirePAR           bool            `json:"require_pushed_authorization_requests,omitempty"`
	TLSSubjectDN         string          `json:"tls_client_auth_subject_dn,omitempty"`
	TLSSANDNS            string          `json:"tls_client_auth_san_dns,omitempty"`
	TLSSANURI            string          `json:"tls_client_auth_san_uri,omitempty"`
	TLSSANIP             string          `json:"tls_client_auth_san_ip,omitempty"`
	TLSSANEmail          string          `json:"tls_client_auth_san_email,omitempty"`
	TLSBound             bool            `json:"tls_client_certificate_bound_access_tokens,omitempty"`
	DPoPBound            bool            `json:"dpop_bound_access_tokens,omitempty"` // RFC 9449 section 5.2
	DefaultMaxAge        *int64          `json:"default_max_age,omitempty"`
	RequireAuthTime      bool            `json:"require_auth_time,omitempty"`
	RequirePKCE          *bool           `json:"require_pkce,omitempty"` // ours: true unless it says false

	BackLogoutURI  string `json:"backchannel_logout_uri,omitempty"`
	BackLogoutSID  bool   `json:"backchannel_logout_session_required,omitempty"`
	FrontLogoutURI string `json:"frontchannel_logout_uri,omitempty"`
	FrontLogoutSID bool   `json:"frontchannel_logout_session_required,omitempty"`

	LatestURI string `json:"latest_attributes_uri,omitempty"` // ours: where changes of attributes are told

	Localized map[string]string `json:"-"` // the members of tagged for languages, by their whole names; nil: none

	Unsupported []string `json:"-"` // members that ask for a protection which this version does not give
	Unknown     []string `json:"-"` // members that mean nothing here, sorted; worth a warning
}

// harmless members are known and unused: leaving them out takes nothing from the client or the person.
var harmless = []string{
	"client_id_issued_at", "default_acr_values", "initiate_login_uri", "registration_access_token", "registration_client_uri",
	"request_uris",
}

// protections are members that a client would rely on. Dropping one in silence would weaken what it asked for.
var protections = []string{
	"client_secret_expires_at", "request_object_encryption_alg", "request_object_encryption_enc",
	"software_statement",
}

// used lists the members that Metadata has a field for, in the order of the fields: those without come last.
var used = func() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Metadata]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}()

// UnmarshalJSON reads one object of client metadata. Member names count exactly, letter case included.
// Its errors name the member and what it should be, never its value.
func (m *Metadata) UnmarshalJSON(b []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil || members == nil {
		return errors.New("must be a JSON object")
	}
	*m = Metadata{}
	fields := reflect.ValueOf(m).Elem()
	for i, name := range used {
		raw, present := members[name]
		if !present {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields() // a policy that is half understood promises what nobody keeps
		if err := d.Decode(fields.Field(i).Addr().Interface()); err != nil {
			return fmt.Errorf("%s: must be %s", name, shape(fields.Field(i).Type()))
		}
	}
	if err := m.localize(members); err != nil {
		return err
	}
	m.sort(members)
	return nil
}

// localize keeps the members for languages.
func (m *Metadata) localize(members map[string]json.RawMessage) error {
	for name, raw := range members {
		if !localizedMember(name) {
			continue
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("%s: must be a string", name)
		}
		if m.Localized == nil {
			m.Localized = map[string]string{}
		}
		m.Localized[name] = text
	}
	return nil
}

func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer: // which tells what is absent
		return shape(t.Elem())
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "an array of strings"
	case reflect.Bool:
		return "true or false"
	case reflect.Struct:
		return "an object with members that are known (see client-profiles in the documents)"
	}
	return "a string"
}

// sort puts the members without a field into Unsupported and Unknown.
func (m *Metadata) sort(members map[string]json.RawMessage) {
	for name, raw := range members {
		switch {
		case slices.Contains(used, name) || slices.Contains(harmless, name) || localizedMember(name):
		case !slices.Contains(protections, name):
			m.Unknown = append(m.Unknown, name)
		case asks(raw):
			m.Unsupported = append(m.Unsupported, name)
		}
	}
	slices.Sort(m.Unknown)
	slices.Sort(m.Unsupported)
}

// asks says whether a member's value asks for anything: false, 0 and empty values do not.
func asks(raw json.RawMessage) bool {
	return !slices.Contains([]string{"null", "false", "0", `""`, "[]", "{}"}, string(bytes.TrimSpace(raw)))
}
