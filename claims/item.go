package claims

import "slices"

// Item is one thing that a relying party can ask for. Its text is at once the scope, the name of the
// claim and the word that consent records keep.
type Item string

// The catalogue. An item that is not here cannot be asked for, consented to or released.
const (
	ItemName         Item = "name"
	ItemAddress      Item = "address"
	ItemPrefecture   Item = "address_prefecture"
	ItemMunicipality Item = "address_municipality"
	ItemBirthdate    Item = "birthdate"
	ItemGender       Item = "gender"
	ItemAgeOver13    Item = "age_over_13"
	ItemAgeOver15    Item = "age_over_15"
	ItemAgeOver16    Item = "age_over_16"
	ItemAgeOver18    Item = "age_over_18" // adulthood (R21)
	ItemAgeOver20    Item = "age_over_20" // alcohol, tobacco, public gambling (R21)
	ItemAgeOver25    Item = "age_over_25"
	ItemAgeOver60    Item = "age_over_60"
	ItemAgeOver65    Item = "age_over_65"
)

// Fact is one attribute of the card that items are made from.
type Fact string

const (
	FactName    Fact = "name"
	FactAddress Fact = "address"
	FactBirth   Fact = "birth"
	FactGender  Fact = "gender"
)

// Scopes that ask for no item.
const (
	ScopeOpenID  = "openid"
	ScopeOffline = "offline_access" // OIDC Core 11; for clients that registered it, so Scopes leaves it out
)

// WordVerified stands for verified_claims where words for what was asked and agreed to are kept.
const WordVerified = "verified_claims"

// entry is what the catalogue says of one item.
type entry struct {
	item  Item
	needs Fact
	years int  // 0 for everything but age predicates
	open  bool // every client may ask; the others are for clients that registered them
}

// catalogue is in the order in which pages list the items.
var catalogue = []entry{
	{item: ItemName, needs: FactName},
	{item: ItemAddress, needs: FactAddress},
	{item: ItemPrefecture, needs: FactAddress},
	{item: ItemMunicipality, needs: FactAddress},
	{item: ItemBirthdate, needs: FactBirth},
	{item: ItemGender, needs: FactGender},
	{item: ItemAgeOver13, needs: FactBirth, years: 13},
	{item: ItemAgeOver15, needs: FactBirth, years: 15},
	{item: ItemAgeOver16, needs: FactBirth, years: 16},
	{item: ItemAgeOver18, needs: FactBirth, years: 18, open: true},
	{item: ItemAgeOver20, needs: FactBirth, years: 20, open: true},
	{item: ItemAgeOver25, needs: FactBirth, years: 25},
	{item: ItemAgeOver60, needs: FactBirth, years: 60},
	{item: ItemAgeOver65, needs: FactBirth, years: 65},
}

// Catalogue lists every item in the order in which pages show them.
func Catalogue() []Item {
	items := make([]Item, 0, len(catalogue))
	for _, entry := range catalogue {
		items = append(items, entry.item)
	}
	return items
}

// Scopes lists every scope about the person, openid first.
func Scopes() []string {
	scopes := []string{ScopeOpenID}
	for _, item := range Catalogue() {
		scopes = append(scopes, item.Scope())
	}
	return scopes
}

// Items gives the items that scopes ask for, in catalogue order, each once. Other scopes ask for nothing.
func Items(scopes []string) []Item {
	return slices.DeleteFunc(Catalogue(), func(i Item) bool { return !slices.Contains(scopes, i.Scope()) })
}

// Asked gives the items that scopes and other words ask for together, in catalogue order, each once.
func Asked(scopes, words []string) []Item {
	return slices.DeleteFunc(Catalogue(), func(i Item) bool {
		return !slices.Contains(scopes, i.Scope()) && !slices.Contains(words, string(i))
	})
}

// Scope that asks for the item.
func (i Item) Scope() string { return string(i) }

// LabelKey of the sentence that names the item, the same key in each language.
func (i Item) LabelKey() string { return "item_" + string(i) }

// Predicate says that the item is a yes or no about the person instead of the data itself.
func (i Item) Predicate() bool { return i.entry().years > 0 }

// Years is the age that a predicate asks about, 0 for other items.
func (i Item) Years() int { return i.entry().years }

// Open says that every client may ask for the item. The two that are open put people into three classes, never more,
// however often they are asked together.
func (i Item) Open() bool { return i.entry().open }

// Coarse says that the item is a part of the address.
func (i Item) Coarse() bool { return i == ItemPrefecture || i == ItemMunicipality }

// InIDToken says that the claim also goes into the ID token. Only predicates do: an ID token is kept and
// logged by relying parties, so names, addresses and dates come from userinfo alone.
func (i Item) InIDToken() bool { return i.Predicate() }

// Needs is the attribute that the card has to give for the item; "" for what is not in the catalogue.
func (i Item) Needs() Fact { return i.entry().needs }

// Claims are the members that the item can put into a response.
func (i Item) Claims() []string {
	switch i {
	case ItemName:
		return []string{"name", "name_substituted"}
	case ItemPrefecture, ItemMunicipality:
		return []string{string(i), string(i) + "_code"}
	}
	return []string{string(i)}
}

// entry is the zero entry for what is not in the catalogue.
func (i Item) entry() entry {
	for _, e := range catalogue {
		if e.item == i {
			return e
		}
	}
	return entry{}
}
