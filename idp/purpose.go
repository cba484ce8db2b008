package idp

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"

	"tegata/storage"
)

// A person agrees to items for a purpose (R25). So the version of the texts that she agreed to ends with that of the
// purposes which her relying party had registered then: when it wants the same for something else, she is asked anew.

// agreedTexts is the version for the record of a consent to items.
func agreedTexts(texts string, c storage.Client, items []string) string {
	return texts + "." + purposes(c, items)
}

// repurposed says that a relying party's purpose for what was agreed to is not the one that was agreed to. Of a consent
// from before purposes were recorded nobody can tell.
func repurposed(c storage.Client, link storage.Link) bool {
	_, was, recorded := strings.Cut(link.Texts, ".")
	return recorded && was != purposes(c, link.Items)
}

// purposes is the version of what c says it wants items for.
func purposes(c storage.Client, items []string) string {
	items = slices.Sorted(slices.Values(items))
	said := []string{c.Purpose, c.PurposeJa}
	for _, i := range items {
		one := c.Policy.Items[i]
		said = append(said, i, one.Purpose, one.PurposeJa)
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings always have a form
	}
	sum := sha256.Sum256(text)
	return base32.StdEncoding.EncodeToString(sum[:5])
}
