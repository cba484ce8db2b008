package agent

import (
	"slices"
	"strconv"
	"strings"
)

// Older says whether version have comes before least. Versions are digits with dots, compared number by
// number. One that is none comes before any other: an unknown build is told to update rather than
// trusted. An empty least is no demand.
func Older(have, least string) bool {
	if least == "" {
		return false
	}
	h, okHave := numbers(have)
	l, okLeast := numbers(least)
	return !okHave || !okLeast || slices.Compare(h, l) < 0
}

func numbers(version string) ([]int, bool) {
	var out []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return nil, false
		}
		out = append(out, int(n))
	}
	return out, true
}
