package cards

import (
	"net/http"
	"slices"
	"strings"

	"tegata/authn/cardtest"
	"tegata/web/ui"
)

func (r *Reader) provider() string {
	return strings.TrimPrefix(strings.TrimPrefix(r.Issuer, "https://"), "http://")
}

// asks is what every page of a login shows: who asks, for what, and the number.
func (r *Reader) asks(req *http.Request, h *held) ui.CardAsk {
	c := h.session.Context()
	ask := ui.CardAsk{
		RPName: c.Client.Name, RPHost: c.Client.Host, Provider: r.provider(), Number: c.Number, Purpose: c.Client.Purpose, Items: c.Items}
	if ui.Lang(req, nil) != "en" {
		if c.Client.NameJa != "" {
			ask.RPName = c.Client.NameJa
		}
		if c.Client.PurposeJa != "" {
			ask.Purpose = c.Client.PurposeJa
		}
	}
	return ask
}

// faces lists the plain adult first and the cards that cannot work last.
func (r *Reader) faces(req *http.Request) []ui.CardFace {
	var out []ui.CardFace
	people := slices.Clone(r.Box.Personas())
	slices.SortStableFunc(people, func(a, b cardtest.Persona) int { return rank(a) - rank(b) })
	for _, p := range people {
		out = append(out, r.face(req, p))
	}
	return out
}

func rank(p cardtest.Persona) int {
	switch {
	case p.ID == "taro":
		return 0
	case p.Status == cardtest.Good && p.PINTries > 0:
		return 1
	}
	return 2
}

func (r *Reader) face(req *http.Request, p cardtest.Persona) ui.CardFace {
	f := ui.CardFace{Persona: p.ID, Title: p.Title.JA, Name: p.Name, Birth: strings.ReplaceAll(p.Birthdate, "-00", "")} // an unknown day or month is not shown
	if ui.Lang(req, nil) == "en" {
		f.Title = p.Title.EN
	}
	if p.Status != cardtest.Good {
		f.Status = string(p.Status)
	}
	if p.PINTries == 0 {
		f.Status = "locked"
	}
	return f
}
