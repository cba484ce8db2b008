package claims

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Claim is a claim under one of the names that it can be asked for and answered by. Only ParseClaim makes one, so a name
// that the catalogue does not know cannot be answered. The zero Claim is no claim.
type Claim struct {
	item Item
	form form
	tag  tag
}

// form is which part of its item a claim gives.
type form int

const (
	whole form = iota
	family
	given
	substituted
	code
	transformed // a predicate by the name of its predefined transformed claim
)

// tag is the language and script behind a name (OIDC Core 5.2).
type tag int

const (
	untagged tag = iota
	tagJa
	tagJaJP
	tagHani
	tagLatn
	tagElsewhere // a language or script that nothing on a card is written in, such as a reading in kana: never answered
)

// Tags are the languages and scripts that names and addresses can be asked for in. Letters count in either case; answers
// have them as here.
var Tags = []string{"ja", "ja-JP", "ja-Hani-JP", "ja-Latn-JP"}

// named is every name without a tag.
var named = func() map[string]Claim {
	names := map[string]Claim{
		"family_name":      {item: ItemName, form: family},
		"given_name":       {item: ItemName, form: given},
		"name_substituted": {item: ItemName, form: substituted},

		"address_prefecture_code":   {item: ItemPrefecture, form: code},
		"address_municipality_code": {item: ItemMunicipality, form: code},
	}
	for _, e := range catalogue {
		names[string(e.item)] = Claim{item: e.item}
		if e.years > 0 {
			names[e.item.Transformed()] = Claim{item: e.item, form: transformed}
		}
	}
	return names
}()

// ParseClaim finds the claim that a relying party calls text; false for what the catalogue does not have.
func ParseClaim(text string) (Claim, bool) {
	base, language, tagged := strings.Cut(text, "#")
	n, known := named[base]
	if tagged {
		n.tag = tagElsewhere
		if at := slices.IndexFunc(Tags, func(t string) bool { return strings.EqualFold(t, language) }); at >= 0 {
			n.tag = tagJa + tag(at)
		}
	}
	return n, known
}

// Names lists every name without a tag, in the order of the catalogue.
func Names() []string {
	var names []string
	for _, e := range catalogue {
		names = append(names, e.item.Claims()...)
		switch {
		case e.item == ItemName:
			names = append(names, "family_name", "given_name")
		case e.years > 0:
			names = append(names, e.item.Transformed())
		}
	}
	return names
}

// Item of which the claim is a form; "" for the zero Claim.
func (c Claim) Item() Item { return c.item }

// Text is the claim's name as answers have it.
func (c Claim) Text() string {
	text := string(c.item)
	for base, known := range named {
		if known.item == c.item && known.form == c.form {
			text = base
		}
	}
	switch c.tag {
	case untagged:
		return text
	case tagElsewhere:
		return text + "#"
	}
	return text + "#" + Tags[c.tag-tagJa]
}

// In gives the same claim in another language, where it comes in languages at all.
func (c Claim) In(language string) (Claim, bool) {
	at := slices.IndexFunc(Tags, func(t string) bool { return strings.EqualFold(t, language) })
	if at < 0 || c.tag != untagged || !c.written() {
		return Claim{}, false
	}
	c.tag = tagJa + tag(at)
	return c, true
}

// written says that the claim is a text which could be written in another script.
func (c Claim) written() bool {
	return c.item == ItemName && c.form != substituted || c.item == ItemAddress
}

// Transformed is the name of the predefined transformed claim that says the same as a predicate (Advanced Syntax for
// Claims); "" for other items.
func (i Item) Transformed() string {
	if !i.Predicate() {
		return ""
	}
	return fmt.Sprintf("::age_%d_or_over", i.Years())
}

// fits says whether a text of the register is in the tag's script. Nothing is transcribed: a name that is written in
// ideographs has no reading here, and one in Latin letters no ideographs.
func (t tag) fits(text string) bool {
	switch t {
	case untagged, tagJa, tagJaJP:
		return true
	case tagHani:
		return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	case tagLatn:
		return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) })
	}
	return false
}
