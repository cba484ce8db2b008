package ledger_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tegata/claims"
	"tegata/claims/ledger"
)

const (
	over13, over18, over20, over65 = claims.ItemAgeOver13, claims.ItemAgeOver18, claims.ItemAgeOver20, claims.ItemAgeOver65
)

// told is a ledger after some answers.
func told(t *testing.T, day ledger.Day, answers map[claims.Item]bool) ledger.Ledger {
	t.Helper()
	l, changed := ledger.Ledger{}.Note(answers, day)
	if !changed {
		t.Fatal("nothing was noted")
	}
	return l
}

func TestRefused(t *testing.T) {
	const day = ledger.Day(20000)
	yes18 := told(t, day, map[claims.Item]bool{over18: true})
	both := told(t, day, map[claims.Item]bool{over18: true, over20: false})
	often := told(t, day-2, map[claims.Item]bool{over18: false})
	twice, _ := often.Note(map[claims.Item]bool{over18: false}, day-1)
	often, _ = twice.Note(map[claims.Item]bool{over18: false}, day)
	flipped, _ := often.Note(map[claims.Item]bool{over18: true}, day+1)
	ask := func(at ledger.Day, items ...claims.Item) ledger.Question {
		return ledger.Question{Items: items, Fresh: true, Today: at}
	}
	with := func(q ledger.Question, registered ...claims.Item) ledger.Question {
		q.Registered = registered
		return q
	}
	inSession := func(q ledger.Question) ledger.Question {
		q.Fresh = false
		return q
	}
	for name, tc := range map[string]struct {
		l    ledger.Ledger
		q    ledger.Question
		want []claims.Item
	}{
		"the first question":                                 {ledger.Ledger{}, ask(day, over18), nil},
		"both open questions":                                {ledger.Ledger{}, ask(day, over18, over20), nil},
		"what is no predicate is not counted":                {both, ask(day, claims.ItemName, claims.ItemBirthdate), nil},
		"the same question again":                            {yes18, ask(day+1, over18), nil},
		"a second threshold":                                 {yes18, ask(day+1, over20), nil},
		"a third threshold":                                  {both, ask(day+1, over65), []claims.Item{over65}},
		"a third threshold in the same request":              {yes18, ask(day, over20, over65), []claims.Item{over65}},
		"a third threshold that was registered":              {both, with(ask(day+1, over65), over18, over20, over65), nil},
		"a third one, by a client that may not ask the rest": {both, with(ask(day+1, over65), over65), []claims.Item{over65}},
		"a third threshold when the old ones are forgotten":  {both, ask(day+ledger.Memory+ledger.Renewal, over65), nil},
		"... which they are not a day before":                {both, ask(day+ledger.Memory+ledger.Renewal-1, over65), []claims.Item{over65}},
		"a no again on the same day":                         {both, inSession(ask(day, over20)), nil},
		"a no again on the next day, without the card":       {both, inSession(ask(day+1, over20)), []claims.Item{over20}},
		"a no again on the next day, with the card":          {both, ask(day+1, over20), nil},
		"a yes again on the next day, without the card":      {both, inSession(ask(day+1, over18)), nil},
		"after the yes nothing is watched any more":          {flipped, inSession(ask(day+5, over18)), nil},
		"a third no":                             {twice, ask(day, over18), nil},
		"a fourth no":                            {often, ask(day+1, over18), []claims.Item{over18}},
		"... on the same day as the third":       {often, ask(day, over18), nil},
		"... when the first has left the window": {often, ask(day-2+ledger.FalseWindow, over18), nil},
		"... and not a day before":               {often, ask(day-3+ledger.FalseWindow, over18), []claims.Item{over18}},
	} {
		if got := tc.l.Refused(tc.q); !slices.Equal(got, tc.want) {
			t.Errorf("%s: refused %v, want %v", name, got, tc.want)
		}
	}
}

func TestTwoRulesOnOneDay(t *testing.T) {
	const day = ledger.Day(20000)
	byDay := claims.AgeRules{over18: claims.ByDay, over20: claims.ByInstant}
	ask := ledger.Question{Items: []claims.Item{over18}, Fresh: true, Today: day}
	noByInstant := told(t, day, map[claims.Item]bool{over18: false})
	yesByDay, _ := ledger.Ledger{}.Under(byDay).Note(map[claims.Item]bool{over18: true}, day)
	tomorrow := ask
	tomorrow.Today++
	for name, tc := range map[string]struct {
		l       ledger.Ledger
		q       ledger.Question
		refused bool
	}{
		"a no by the instant, then by the day":           {noByInstant.Under(byDay), ask, true},
		"a yes by the day, then by the instant":          {yesByDay.Under(nil), ask, true},
		"the same rule again":                            {yesByDay.Under(byDay), ask, false},
		"the same rule again, by the instant":            {noByInstant.Under(nil), ask, false},
		"the other rule on the next day":                 {noByInstant.Under(byDay), tomorrow, false},
		"the other rule on the next day, by the instant": {yesByDay.Under(nil), tomorrow, false},
	} {
		b, err := tc.l.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got := tc.l.Refused(tc.q); (len(got) > 0) != tc.refused {
			t.Errorf("%s: refused %v of %s", name, got, b)
		}
	}
}

// A sector that asks somebody under two accounts, which then become one, has been told no less by the one.
func TestMerge(t *testing.T) {
	const day = ledger.Day(20000)
	items := []claims.Item{over13, over18, over20, over65}
	history := rapid.Custom(func(t *rapid.T) (l ledger.Ledger) {
		days := rapid.SliceOfN(rapid.IntRange(0, 450), 0, 6).Draw(t, "days ago")
		slices.Sort(days)
		for _, ago := range slices.Backward(days) {
			answers := map[claims.Item]bool{rapid.SampledFrom(items).Draw(t, "age"): rapid.Bool().Draw(t, "answer")}
			l, _ = l.Note(answers, day-ledger.Day(ago))
		}
		return l
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := history.Draw(t, "a"), history.Draw(t, "b")
		merged := a.Merge(b)
		if merged.Expires() != max(a.Expires(), b.Expires()) {
			t.Fatalf("expires on day %d", merged.Expires())
		}
		known := func(l ledger.Ledger, i claims.Item) bool { // every other question is one too many then
			q := ledger.Question{Items: slices.DeleteFunc(slices.Clone(items), func(o claims.Item) bool { return o == i }), Today: day, Fresh: true}
			return slices.Contains(l.Refused(ledger.Question{Items: append(q.Items, i), Today: day, Fresh: true}), i)
		}
		for _, i := range items {
			q := ledger.Question{Items: []claims.Item{i}, Registered: items, Today: day + 1, Fresh: rapid.Bool().Draw(t, "with the card")}
			if len(a.Refused(q))+len(b.Refused(q)) > 0 && len(merged.Refused(q)) == 0 {
				t.Fatalf("%s was watched and is not any more", i)
			}
			if known(a.Merge(a), i) != known(a, i) {
				t.Fatalf("%s counts otherwise in a ledger that is merged with itself", i)
			}
		}
		x, err1 := merged.Encode()
		y, err2 := b.Merge(a).Encode()
		again, err3 := ledger.Decode(x)
		if err1 != nil || err2 != nil || err3 != nil || len(x) != len(y) || len(again.Refused(ledger.Question{Items: items, Today: day})) != len(merged.Refused(ledger.Question{Items: items, Today: day})) {
			t.Fatalf("%s, the other way round %s", x, y)
		}
	})
}

func TestThresholdsOfBothAccountsCount(t *testing.T) {
	const day = ledger.Day(20000)
	a, b := told(t, day, map[claims.Item]bool{over18: true}), told(t, day-3, map[claims.Item]bool{over65: false})
	third := ledger.Question{Items: []claims.Item{over20}, Fresh: true, Today: day}
	if len(a.Refused(third))+len(b.Refused(third)) > 0 || len(a.Merge(b).Refused(third)) != 1 {
		t.Error("a renewed card makes room for a third threshold")
	}
	again := ledger.Question{Items: []claims.Item{over65}, Today: day}
	if len(a.Merge(b).Refused(again)) != 1 || len(b.Merge(a).Refused(again)) != 1 {
		t.Error("a no is not watched any more")
	}
}

func TestADayEndsAtMidnightInJapan(t *testing.T) {
	before := time.Date(2026, 11, 21, 14, 59, 59, 0, time.UTC)
	if a, b := ledger.DayOf(before), ledger.DayOf(before.Add(time.Second)); b != a+1 {
		t.Errorf("%d, then %d", a, b)
	} else if !b.Begins().Equal(before.Add(time.Second)) {
		t.Errorf("day %d begins at %v", b, b.Begins())
	}
}

func TestEncoding(t *testing.T) {
	l := told(t, 20000, map[claims.Item]bool{over18: true, over20: false})
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ledger.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, changed := again.Note(map[claims.Item]bool{over18: true, over20: false}, 20000); changed {
		t.Error("the same answers on the same day change what was read")
	}
	if _, changed := again.Note(map[claims.Item]bool{over18: true}, 20000+ledger.Renewal-1); changed {
		t.Error("a yes is noted again too early")
	}
	if _, changed := again.Note(map[claims.Item]bool{over18: true}, 20000+ledger.Renewal); !changed {
		t.Error("a yes is not noted again")
	}
	if again.Expires() != 20000+ledger.Memory+ledger.Renewal {
		t.Errorf("expires on day %d", again.Expires())
	}
	for _, bad := range []string{`{`, `[{"item":"name"}]`, `[{"item":"age_over_18","falses":[2,1]}]`, `"x"`} {
		if _, err := ledger.Decode([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if empty, err := ledger.Decode(nil); err != nil || len(empty.Refused(ledger.Question{Items: []claims.Item{over18}})) != 0 {
		t.Error("no bytes are not the empty ledger")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[{"item":"age_over_18","last":20000,"falses":[19999,20000]}]`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if l, err := ledger.Decode(b); err == nil {
			l.Refused(ledger.Question{Items: []claims.Item{over18}, Today: 1})
		}
	})
}

// given is one answer that a sector got.
type given struct {
	item claims.Item
	day  ledger.Day
	yes  bool
}

// A sector with several clients asks what it likes, when it likes. Whatever it does, it learns no more than the rule
// says: few thresholds, and few days with "no".
func TestNoSequenceOfQuestionsBracketsABirthdate(t *testing.T) {
	predicates := slices.DeleteFunc(claims.Catalogue(), func(i claims.Item) bool { return !i.Predicate() })
	rapid.Check(t, func(t *rapid.T) {
		birth := ledger.Day(rapid.Int64Range(-10000, 20000).Draw(t, "born on day"))
		attained := func(i claims.Item, day ledger.Day, rule claims.AgeRule) bool {
			return day+ledger.Day(rule) >= birth+ledger.Day(float64(i.Years())*365.25) // ByDay is 1: a day earlier
		}
		approved := rapid.SliceOfN(rapid.SampledFrom(predicates), 0, 4).Draw(t, "the largest set that a client registered")
		var l ledger.Ledger
		var answers []given
		day := ledger.Day(rapid.Int64Range(18000, 24000).Draw(t, "first day"))
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			day += ledger.Day(rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 9, 29, 40, 399, 401, 431}).Draw(t, "days later"))
			if rapid.IntRange(0, 9).Draw(t, "on a birthday's eve") == 0 {
				i := rapid.SampledFrom(predicates).Draw(t, "which")
				day = max(day, birth+ledger.Day(float64(i.Years())*365.25)-1)
			}
			registered := rapid.SliceOfN(rapid.SampledFrom(append(approved, over18)), 0, 4).Draw(t, "this client's")
			q := ledger.Question{
				Items:      rapid.SliceOfNDistinct(rapid.SampledFrom(predicates), 1, 3, rapid.ID).Draw(t, "asked"),
				Registered: registered, Fresh: rapid.Bool().Draw(t, "with the card"), Today: day}
			rules := claims.AgeRules{}
			for _, i := range predicates {
				rules[i] = rapid.SampledFrom([]claims.AgeRule{claims.ByInstant, claims.ByInstant, claims.ByDay}).Draw(t, "this client's rule")
			}
			l = l.Under(rules)
			refused := l.Refused(q)
			told := map[claims.Item]bool{}
			for _, i := range q.Items {
				if slices.Contains(refused, i) {
					continue
				}
				if !q.Fresh && watchedFor(answers, i, day) {
					t.Fatalf("%s was evaluated again without the card", i)
				}
				told[i] = attained(i, day, rules[i])
				answers = append(answers, given{i, day, told[i]})
			}
			l, _ = l.Note(told, day)
		}
		holdThresholds(t, answers, append(approved, over18))
		holdFalseDays(t, answers)
		holdOneAnswerADay(t, answers)
	})
}

// holdOneAnswerADay: no day has both a "yes" and a "no" to one question, which only the eve of a birthday has.
func holdOneAnswerADay(t *rapid.T, answers []given) {
	for _, a := range answers {
		if slices.Contains(answers, given{a.item, a.day, !a.yes}) {
			t.Fatalf("%s was answered with yes and no on day %d", a.item, a.day)
		}
	}
}

// watchedFor says whether the newest earlier answer is a "no" of an earlier day of the window.
func watchedFor(answers []given, item claims.Item, day ledger.Day) bool {
	watched := false
	for _, a := range answers {
		if a.item == item {
			watched = !a.yes && a.day < day && a.day > day-ledger.FalseWindow
		}
	}
	return watched
}

// holdThresholds: at any time, the thresholds in memory are two, or all of them were registered.
func holdThresholds(t *rapid.T, answers []given, approved []claims.Item) {
	for n, last := range answers {
		var seen []claims.Item
		strange := false
		for _, a := range answers[:n+1] {
			if a.day > last.day-ledger.Memory && !slices.Contains(seen, a.item) {
				seen = append(seen, a.item)
				strange = strange || !slices.Contains(approved, a.item)
			}
		}
		if len(seen) > ledger.Thresholds && strange {
			t.Fatalf("%d thresholds were answered within %d days: %v", len(seen), ledger.Memory, seen)
		}
	}
}

// holdFalseDays: no 30 days hold more than three days with the same "no".
func holdFalseDays(t *rapid.T, answers []given) {
	for _, first := range answers {
		days := map[ledger.Day]bool{}
		for _, a := range answers {
			if a.item == first.item && !a.yes && a.day >= first.day && a.day < first.day+ledger.FalseWindow {
				days[a.day] = true
			}
		}
		if len(days) > ledger.FalseDays {
			t.Fatalf("%s was denied on %d days of %d", first.item, len(days), ledger.FalseWindow)
		}
	}
}
