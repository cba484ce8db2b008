package idp

import (
	"testing"

	"tegata/storage"
)

func TestAnotherPurposeAsksAnew(t *testing.T) {
	shop := func(change func(*storage.Client)) storage.Client {
		c := storage.Client{Purpose: "To sell alcohol", PurposeJa: "酒類の販売のため", Policy: storage.ClientPolicy{Retention: "a day",
			Items: map[string]storage.ItemPolicy{"age_over_20": {Purpose: "The law"}, "name": {Purpose: "The parcel"}}}}
		change(&c)
		return c
	}
	agreed := []string{"openid", "age_over_20"}
	texts := agreedTexts("en-1", shop(func(*storage.Client) {}), agreed)
	for name, tt := range map[string]struct {
		change func(*storage.Client)
		link   storage.Link
		asks   bool
	}{
		"nothing changed":             {func(*storage.Client) {}, storage.Link{Items: agreed, Texts: texts}, false},
		"in another order":            {func(*storage.Client) {}, storage.Link{Items: []string{"age_over_20", "openid"}, Texts: texts}, false},
		"another name":                {func(c *storage.Client) { c.Name = "Aoba" }, storage.Link{Items: agreed, Texts: texts}, false},
		"another purpose":             {func(c *storage.Client) { c.Purpose = "To advertise" }, storage.Link{Items: agreed, Texts: texts}, true},
		"another purpose in Japanese": {func(c *storage.Client) { c.PurposeJa = "広告のため" }, storage.Link{Items: agreed, Texts: texts}, true},
		"another purpose of an item": {func(c *storage.Client) { c.Policy.Items["age_over_20"] = storage.ItemPolicy{Purpose: "Curiosity"} },
			storage.Link{Items: agreed, Texts: texts}, true},
		"of an item that she did not agree to": {func(c *storage.Client) { c.Policy.Items["name"] = storage.ItemPolicy{Purpose: "Curiosity"} },
			storage.Link{Items: agreed, Texts: texts}, false},
		"a consent from before": {func(c *storage.Client) { c.Purpose = "To advertise" }, storage.Link{Items: agreed, Texts: "en-1"}, false},
		"nothing agreed to":     {func(c *storage.Client) { c.Purpose = "To advertise" }, storage.Link{}, false},
	} {
		if got := repurposed(shop(tt.change), tt.link); got != tt.asks {
			t.Errorf("%s: asks %v", name, got)
		}
	}
}
