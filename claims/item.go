package claims

import "slices"

// Item is one thing that a relying party can ask for. Its text is at once the scope, the name of the
// claim and the word that consent records keep.
type Item string

// The catalogue. An item that is not here cannot be asked for, consented to or released.
const (
	ItemName      Item = "name"
	ItemAddress   Item = "address"
	ItemBirthdate Item = "birthdate"
	ItemGender    Item = "gender"
	ItemAgeOver18 Item = "age_over_18" // adulthood (R21)
	ItemAgeOver20 Item = "age_over_20" // alcohol, tobacco, public gambling (R21)
)

// Fact is one attribute of the card that items are made from.
type Fact string

const (
	FactName    Fact = "name"
	FactAddress Fact = "address"
	FactBirth   Fact = "birth"
	FactGender  Fact = "gender"
)

// ScopeOpenID is the one scope that asks for no item.
const ScopeOpenID = "openid"

// catalogue is in the order in which pages list the items. years is 0 for everything but age predicates.
var catalogue = []struct {
	item  Item
	needs Fact
	years int
}{
	{ItemName, FactName, 0},
	{ItemAddress, FactAddress, 0},
	{ItemBirthdate, FactBirth, 0},
	{ItemGender, FactGender, 0},
	{ItemAgeOver18, FactBirth, 18},
	{ItemAgeOver20, FactBirth, 20},
}

// Catalogue lists every item in the order in which pages show them.
func Catalogue() []Item {
	items := make([]Item, 0, len(catalogue))
	for _, entry := range catalogue {
		items = append(items, entry.item)
	}
	return items
}

// Scopes lists every scope that the provider knows, openid first.
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

// Scope that asks for the item.
func (i Item) Scope() string { return string(i) }

// LabelKey of the sentence that names the item, the same key in each language.
func (i Item) LabelKey() string { return "item_" + string(i) }

// Predicate says that the item is a yes or no about the person instead of the data itself.
func (i Item) Predicate() bool { return i.years() > 0 }

// InIDToken says that the claim also goes into the ID token. Only predicates do: an ID token is kept and
// logged by relying parties, so names, addresses and dates come from userinfo alone.
func (i Item) InIDToken() bool { return i.Predicate() }

// Needs is the attribute that the card has to give for the item; "" for what is not in the catalogue.
func (i Item) Needs() Fact {
	for _, entry := range catalogue {
		if entry.item == i {
			return entry.needs
		}
	}
	return ""
}

// years is the age that a predicate asks about, 0 for other items.
func (i Item) years() int {
	for _, entry := range catalogue {
		if entry.item == i {
			return entry.years
		}
	}
	return 0
}
