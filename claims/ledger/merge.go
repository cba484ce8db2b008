package ledger

import "slices"

// Merge is what a sector was told when it asked one person under two accounts, as after a renewed card: whatever either
// ledger remembers, for as long. It holds at least as much back as each of them about what it had answered.
func (l Ledger) Merge(other Ledger) Ledger {
	merged := Ledger{answers: slices.Clone(l.answers), byDay: l.byDay}
	for _, b := range other.answers {
		at := slices.IndexFunc(merged.answers, func(a answer) bool { return a.Item == b.Item })
		if at < 0 {
			merged.answers = append(merged.answers, b)
			continue
		}
		merged.answers[at] = merged.answers[at].merge(b)
	}
	return merged
}

func (a answer) merge(b answer) answer {
	falses := append(slices.Clone(a.Falses), b.Falses...)
	slices.Sort(falses)
	if b.newest() > a.newest() {
		a.ByDay = b.ByDay
	}
	a.Last, a.Falses = max(a.Last, b.Last), slices.Compact(falses)
	return a
}

// newest is the last day of which the answer says anything.
func (a answer) newest() Day { return max(a.Last, slices.Max(append(a.Falses, a.Last))) }
