package storage

// ClientPolicy is what was agreed with a relying party about people's data. The zero value agrees nothing beyond the scopes.
type ClientPolicy struct {
	Items       map[string]ItemPolicy `json:"items,omitempty"`                  // all that it may ask, by claims.Item; empty: its scopes say
	Predicates  int                   `json:"predicates_per_request,omitempty"` // how many ages one request may ask about; 0: one
	Source      string                `json:"source,omitempty"`                 // claims.Source that facts must come from; empty: any
	TellsNo     bool                  `json:"tells_no,omitempty"`               // an age-only client hears false too
	ByDay       []string              `json:"by_day,omitempty"`                 // predicates that are counted by the day (R20)
	Retention   string                `json:"retention,omitempty"`              // how long it keeps what it gets, shown at consent
	RetentionJa string                `json:"retention#ja,omitempty"`           //

	LatestAttributes bool `json:"latest_attributes,omitempty"` // people may be asked whether it hears of later changes (R11)
}

// ItemPolicy is what was agreed about one item.
type ItemPolicy struct {
	Purpose   string `json:"purpose,omitempty"` // shown at consent beside the item (R25)
	PurposeJa string `json:"purpose#ja,omitempty"`
}
