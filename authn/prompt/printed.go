package prompt

import (
	"context"
	"strconv"

	"tegata/authn/card"
	"tegata/authn/fail"
)

// printed asks for verification number B as it stands on the card: part by part, each checked before the next is asked for.
func (d desk) printed(ctx context.Context, a Ask) ([]byte, error) {
	number := make([]byte, 0, maxPrinted)
	for _, part := range card.NumberBParts {
		window := func(a Ask) form { return d.words.askPrinted(a, part) }
		digits, err := d.entry(ctx, &a, window, func(typed []byte) ([]byte, error) { return normalisePrinted(part, typed) })
		if err != nil {
			clear(number)
			return nil, err
		}
		number = append(number, digits...)
		clear(digits)
		a.Before, a.OtherWay = nil, false
	}
	return number, nil
}

// maxPrinted holds the whole number, so that no copy of it is left behind in a slice that grew.
const maxPrinted = 14

func normalisePrinted(part card.Printed, typed []byte) ([]byte, error) {
	if len(typed) == 0 {
		return nil, fail.PINFormat
	}
	return card.NormalizePrinted(part, view(typed))
}

// askPrinted is the window for one part.
func (w words) askPrinted(a Ask, part card.Printed) form {
	key, of := "printed_"+strconv.Itoa(int(part)), strconv.Itoa(int(part))+"/"+strconv.Itoa(len(card.NumberBParts))
	f := w.demand(a, w["ask_"+key], w["form_"+key])
	f.title += " " + of
	f.label = w["label_"+key]
	return f
}
