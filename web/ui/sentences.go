package ui

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed locales/*.toml
var locales embed.FS

// ProgressCodes are the codes of design/flows.md for which Progress has a sentence.
var ProgressCodes = []string{
	"waiting_agent", "agent_not_seen", "agent_outdated", "no_reader", "no_card", "wrong_card", "reading",
	"pin_needed", "number_needed", "pin_wrong", "pin_last_try", "pin_locked", "signing", "checking_certificate",
	"returning", "done", "cancelled", "expired",
}

// siteName is the blank that most sentences with a blank have.
const siteName = "{{.RPName}}"

// speaker says sentences in one language.
type speaker struct {
	lang  string
	fixed map[string]string          // sentences without a blank or a plural, the great majority
	named map[string]string          // sentences with no other blank than siteName
	open  map[string]*i18n.Localizer // the others, and who fills them in
	texts string                     // see Texts
}

func loadSpeakers() (map[string]*speaker, error) {
	bundle := i18n.NewBundle(language.Japanese)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	said := map[string]map[string]*i18n.Message{}
	for _, lang := range Langs {
		file, err := bundle.LoadMessageFileFS(locales, "locales/"+lang+".toml")
		if err != nil {
			return nil, fmt.Errorf("sentences in %s: %w", lang, err)
		}
		said[lang] = map[string]*i18n.Message{}
		for _, m := range file.Messages {
			said[lang][m.ID] = m
		}
	}
	speakers := map[string]*speaker{}
	for _, lang := range Langs {
		speakers[lang] = newSpeaker(bundle, lang, said)
	}
	return speakers, nil
}

// newSpeaker says the sentences of lang. What plain Japanese has no words of its own for, it says in Japanese.
func newSpeaker(bundle *i18n.Bundle, lang string, said map[string]map[string]*i18n.Message) *speaker {
	s := &speaker{lang: lang, fixed: map[string]string{}, named: map[string]string{}, open: map[string]*i18n.Localizer{}}
	chosen := map[string]*i18n.Message{}
	from := []string{lang}
	if lang == Easy {
		from = []string{Langs[0], Easy}
	}
	for _, one := range from {
		localizer := i18n.NewLocalizer(bundle, one)
		for id, m := range said[one] {
			chosen[id] = m
			delete(s.fixed, id)
			delete(s.named, id)
			delete(s.open, id)
			blanks := strings.Count(m.Other, "{{")
			if m.One == "" && blanks == 0 {
				s.fixed[id] = m.Other
				continue
			}
			if m.One == "" && blanks == strings.Count(m.Other, siteName) {
				s.named[id] = m.Other
			}
			s.open[id] = localizer
		}
	}
	s.texts = versionOf(lang, slices.Collect(maps.Values(chosen)))
	return s
}

// Text says the sentence of key in lang (one of Langs; anything else is Japanese). data fills the
// blanks of the sentence; its "Tries" also chooses the plural. A key without a sentence is
// returned as it is, so that a mistake shows itself instead of an empty line.
func (u *UI) Text(lang, key string, data map[string]any) string {
	return u.speaker(lang).say(key, data)
}

// Progress says where a login stands. tries < 0 means that no retry counter goes with it.
func (u *UI) Progress(lang, code string, tries int) string {
	return u.speaker(lang).progress(code, tries)
}

// nameOf is what a language calls itself.
func (u *UI) nameOf(lang string) string { return u.speaker(lang).say("language", nil) }

func (u *UI) speaker(lang string) *speaker {
	if s, ok := u.speakers[lang]; ok {
		return s
	}
	return u.speakers[Langs[0]]
}

func (s *speaker) say(key string, data map[string]any) string {
	if text, ok := s.fixed[key]; ok {
		return text
	}
	localizer := s.open[key]
	if localizer == nil {
		return key
	}
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: tame(data)}
	if tries, ok := data["Tries"]; ok {
		config.PluralCount = tries
	}
	text, err := localizer.Localize(config)
	if err != nil {
		return key
	}
	return text
}

// pairs is say for templates: a key, then names and values in turn.
func (s *speaker) pairs(key string, pairs ...any) (string, error) {
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("sentence %s: a name without a value", key)
	}
	data := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return "", fmt.Errorf("sentence %s: a name must be a string", key)
		}
		data[name] = pairs[i+1]
	}
	return s.say(key, data), nil
}

// item and itemNote say what an item is called, and what is to know of it.
func (s *speaker) item(key string) string     { return s.say("item_"+key, nil) }
func (s *speaker) itemNote(key string) string { return s.say("item_"+key+"_note", nil) }

func (s *speaker) has(key string) bool {
	_, ok := s.fixed[key]
	return ok || s.open[key] != nil
}

func (s *speaker) tries(n int) string {
	return s.say("tries_left", map[string]any{"Tries": n})
}

func (s *speaker) progress(code string, tries int) string {
	text := s.say("progress_"+code, nil)
	if tries < 0 || code == "pin_locked" || code == "pin_last_try" { // these two say the number themselves
		return text
	}
	return s.say("two_sentences", map[string]any{"First": text, "Second": s.tries(tries)})
}

// value puts the value of an item into the words of the language. Free text stays as it is.
func (s *speaker) value(item, value string) string {
	if item == "birthdate" {
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return value
		}
		return s.say("date", map[string]any{"Year": day.Year(), "Month": int(day.Month()), "MonthName": day.Month().String(), "Day": day.Day()})
	}
	key := "value_" + value
	if item == "name" || strings.HasPrefix(item, "address") || !s.has(key) {
		return value
	}
	return s.say(key, nil)
}

// tame takes control and direction characters out of foreign strings: a site's name must not be
// able to reverse or break the sentence that it stands in.
func tame(data map[string]any) map[string]any {
	clean := make(map[string]any, len(data))
	for name, v := range data {
		if text, ok := v.(string); ok {
			v = tameString(text)
		}
		clean[name] = v
	}
	return clean
}

func tameString(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text)
}
