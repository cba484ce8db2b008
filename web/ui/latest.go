package ui

import "time"

// LatestPage asks whether a site may hear of later changes too, apart from everything else that is agreed to (R11). Its form
// posts latest=agree or latest=refuse, with the decision of the consent page before it.
type LatestPage struct {
	RPName, RPHost string
	Purpose        string
	Items          []ItemLine
	Until          string   // last day, YYYY-MM-DD
	Earlier        string   // last day of the consent that this one would replace; "" there is none
	Said           []string // items of the consent page: the form posts them again
	Remember       bool     // as ticked there: posted again
	Texts          string   // version of the texts
	Action         string   // POST
	FormTargets    []string // as in LoginPage
}

func (p LatestPage) spec() spec {
	return spec{name: "latest", targets: p.FormTargets, wide: true}
}

// OwnLatest is a site that hears of changes.
type OwnLatest struct {
	ID    string // for the form
	Name  string
	Items []string
	Given time.Time
	Until string // last day, YYYY-MM-DD
	Near  bool   // that is soon
	Over  bool   // it has passed: nothing is told any more
}
