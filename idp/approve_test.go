package idp

import (
	"testing"

	"tegata/claims"
)

func TestASingleItemIsNotOptional(t *testing.T) {
	age := claims.Offer{Item: claims.ItemAgeOver18, Available: true}
	name := claims.Offer{Item: claims.ItemName, Available: true}
	missing := claims.Offer{Item: claims.ItemName}
	for _, tt := range []struct {
		name   string
		offers []claims.Offer
		want   bool
	}{
		{"one item is the whole request", []claims.Offer{age}, false},
		{"of two, each may stay here", []claims.Offer{age, name}, true},
		{"what the card does not give does not count", []claims.Offer{age, missing}, false},
		{"nothing", nil, false},
	} {
		if got := Optional(tt.offers); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
