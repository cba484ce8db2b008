package ui

import (
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// agreedTo are the beginnings of the keys of what a person reads before she agrees.
var agreedTo = []string{"consent_", "item_", "pass_", "value_"}

// versionOf names the texts of the consent page in one language: it changes when any of them does.
func versionOf(lang string, messages []*i18n.Message) string {
	var said []string
	for _, m := range messages {
		if slices.ContainsFunc(agreedTo, func(prefix string) bool { return strings.HasPrefix(m.ID, prefix) }) {
			said = append(said, m.ID+"\x00"+m.One+"\x00"+m.Other)
		}
	}
	slices.Sort(said)
	sum := sha256.Sum256([]byte(strings.Join(said, "\x00")))
	return lang + "-" + base32.StdEncoding.EncodeToString(sum[:5])
}

// Texts is the version of what the consent page says in lang, for the record of a consent: the language and a hash.
func (u *UI) Texts(lang string) string { return u.speaker(lang).texts }

// ShownTexts is a version that came back with a form, or "" when it is none that this server shows.
func (u *UI) ShownTexts(version string) string {
	for _, s := range u.speakers {
		if s.texts == version {
			return version
		}
	}
	return ""
}
