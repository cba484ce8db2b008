package clients

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// owner is the registrable domain of a sector, by the list of public suffixes: who holds it can have as many hosts below it
// as it likes, and ask about somebody's age under each of them. A scheme of an app's own is a domain from behind (RFC 8252
// section 7.1). "" where there is no other name than the sector's.
func owner(sector string) string {
	host := sector
	if scheme, is := strings.CutSuffix(sector, ":"); is {
		labels := strings.Split(scheme, ".")
		slices.Reverse(labels)
		host = strings.Join(labels, ".")
	}
	if _, err := netip.ParseAddr(host); err == nil || strings.Contains(host, ":") {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimSuffix(host, "."))
	if err != nil || domain == sector {
		return ""
	}
	return domain
}
