package clients

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tegata/storage"
)

// tagged are the members that may come again for a language, as client_name#ja (RFC 7591 section 2.2).
var tagged = []string{"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"}

const (
	maxContacts  = 20
	maxLocalized = 50
)

var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`) // RFC 5646 section 2.1, as far as a tag has to look like one

// localizedMember says whether a member is one of tagged for a language and has no field of its own.
func localizedMember(name string) bool {
	base, tag, has := strings.Cut(name, "#")
	return has && slices.Contains(tagged, base) && languageTag.MatchString(tag) && !slices.Contains(used, name)
}

// MarshalJSON writes the members of all languages beside the others.
func (m Metadata) MarshalJSON() ([]byte, error) {
	type plain Metadata
	body, err := json.Marshal(plain(m))
	if err != nil || len(m.Localized) == 0 {
		return body, err
	}
	more, err := json.Marshal(m.Localized)
	if err != nil {
		return nil, err
	}
	if string(body) == "{}" {
		return more, nil
	}
	return slices.Concat(body[:len(body)-1], []byte(","), more[1:]), nil
}

// about checks what a client says about itself. Contacts, logo and software are kept and told again, and no person sees
// them: a logo would be fetched from its owner's server by everybody who logs in, which tells that server who does, and a picture
// that anybody can register is the first tool of who pretends to be somebody else.
func (r *registration) about() storage.ClientAbout {
	for _, one := range []struct{ field, uri string }{{"logo_uri", r.LogoURI}, {"policy_uri", r.PolicyURI}, {"tos_uri", r.TermsURI}} {
		r.checkPage(one.field, one.uri)
	}
	if len(r.Contacts) > maxContacts {
		r.refuse("contacts", "may name at most 20 people.")
	}
	for i, contact := range r.Contacts {
		r.checkLine(fmt.Sprintf("contacts[%d]", i), contact, maxName)
	}
	r.checkLine("software_id", r.SoftwareID, maxName)
	r.checkLine("software_version", r.SoftwareVersion, maxName)
	if len(r.Localized) > maxLocalized {
		r.refuse("client_name", "and the other members may come in at most 50 languages.")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Localized)) {
		if strings.HasPrefix(name, "client_name#") {
			r.checkLine(name, r.Localized[name], maxName)
			continue
		}
		r.checkPage(name, r.Localized[name])
	}
	return storage.ClientAbout{Contacts: r.Contacts, LogoURI: r.LogoURI, PolicyURI: r.PolicyURI, TermsURI: r.TermsURI,
		SoftwareID: r.SoftwareID, SoftwareVersion: r.SoftwareVersion, Localized: r.Localized}
}

// checkPage accepts the address of a page for people. It may become a link on our pages, so other schemes (javascript) must
// not get there.
func (r *registration) checkPage(field, raw string) {
	if raw == "" {
		return
	}
	if _, text := webURI(raw); text != "" {
		r.refuse(field, text)
	}
}

// In is a member of tagged in a language, or as it is for all of them.
func In(c storage.Client, member, general, lang string) string {
	for _, tag := range slices.Sorted(maps.Keys(c.About.Localized)) {
		if base, own, _ := strings.Cut(tag, "#"); base == member && strings.EqualFold(primary(own), primary(lang)) {
			return c.About.Localized[tag]
		}
	}
	return general
}

// primary is the language of a tag without its country or script.
func primary(tag string) string {
	language, _, _ := strings.Cut(tag, "-")
	return language
}
