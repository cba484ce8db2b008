package clients

import (
	"reflect"
	"slices"
	"strings"

	"tegata/storage"
)

// Described is metadata with the defaults that Rules.Client has filled in for c, and without the secret: what is registered,
// as RFC 7591 section 3.2.1 wants to be told.
func Described(m Metadata, c storage.Client) Metadata {
	m.ClientID, m.ClientSecret = c.ID, ""
	m.ClientName, m.AuthMethod, m.IDTokenAlg = c.Name, c.AuthMethod, c.IDTokenAlg
	m.Scope = strings.Join(c.Scopes, " ")
	m.SubjectType = orDefault(m.SubjectType, SubjectPairwise)
	m.ApplicationType = orDefault(m.ApplicationType, "web")
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	if len(m.ResponseTypes) == 0 {
		m.ResponseTypes = []string{"code"}
	}
	m.Unsupported, m.Unknown = nil, nil
	return m
}

// Widened lists the members by which next is more than old, or something else than an operator has looked at. Less needs
// nobody's approval: redirect URIs, scopes or a free choice of algorithms given up, a protection turned on, another
// algorithm or format of ours. Whatever else is new, a member of tomorrow included, does.
func Widened(old, next storage.Client) []string {
	was := old
	was.SecretHashes, was.Registration, was.UpdatedAt, was.CreatedAt, was.Disabled =
		next.SecretHashes, next.Registration, next.UpdatedAt, next.CreatedAt, next.Disabled
	was.About.Contacts, was.About.LogoURI = next.About.Contacts, next.About.LogoURI // no person sees these
	was.About.SoftwareID, was.About.SoftwareVersion = next.About.SoftwareID, next.About.SoftwareVersion
	was.IDTokenAlg, was.Keys.ResponseAlg = next.IDTokenAlg, next.Keys.ResponseAlg
	for _, list := range []struct{ was, next *[]string }{
		{&was.RedirectURIs, &next.RedirectURIs}, {&was.PostLogoutRedirectURIs, &next.PostLogoutRedirectURIs}, {&was.Scopes, &next.Scopes},
	} {
		if within(*list.next, *list.was) {
			*list.was = *list.next
		}
	}
	for _, choice := range []struct{ was, next *string }{
		{&was.Keys.AssertionAlg, &next.Keys.AssertionAlg}, {&was.Keys.RequestAlg, &next.Keys.RequestAlg},
	} {
		if *choice.was == "" {
			*choice.was = *choice.next
		}
	}
	was.RequirePAR, was.RequireSignedRequest = was.RequirePAR || next.RequirePAR, was.RequireSignedRequest || next.RequireSignedRequest
	was.WithoutPKCE = was.WithoutPKCE && next.WithoutPKCE
	was.DPoPBound, was.TLS.Bound = was.DPoPBound || next.DPoPBound, was.TLS.Bound || next.TLS.Bound
	return different(was, next)
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// different names the members in which two records differ. A protection given up shows here, because Widened turned it on
// in one of them only.
func different(a, b storage.Client) []string {
	var names []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for _, f := range reflect.VisibleFields(va.Type()) {
		if !reflect.DeepEqual(va.FieldByIndex(f.Index).Interface(), vb.FieldByIndex(f.Index).Interface()) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}
