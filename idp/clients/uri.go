package clients

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const maxURI = 2048

// plainURI refuses what no URI of ours needs and what parsers disagree about: anything but printable ASCII,
// characters outside RFC 3986, fragments, user information, wildcards, dot segments. The text is a sentence,
// "" when all is well.
func plainURI(raw string) (*url.URL, string) {
	switch {
	case raw == "":
		return nil, "is empty."
	case len(raw) > maxURI:
		return nil, "is longer than 2048 bytes."
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, "may only hold printable ASCII without spaces; write other characters percent-encoded."
	case strings.ContainsAny(raw, "\\\"<>^`{|}"):
		return nil, "holds a character that a URI cannot have."
	case strings.Contains(raw, "*"):
		return nil, "holds a wildcard; every URI is registered in full."
	case strings.Contains(raw, "#"):
		return nil, "has a fragment (RFC 6749 section 3.1.2)."
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || !percentEncoded(raw):
		return nil, "is not a URI."
	case u.Scheme == "" || !strings.HasPrefix(raw, u.Scheme+":"):
		return nil, "must be absolute, with its scheme in lower case."
	case u.Opaque != "":
		return nil, "needs a slash after the scheme."
	case u.User != nil:
		return nil, "holds user information."
	case dotSegments(u.EscapedPath()):
		return nil, "holds a dot segment."
	}
	return u, ""
}

// percentEncoded says that each percent sign starts two hexadecimal digits; url.Parse does not look at queries.
func percentEncoded(raw string) bool {
	for i := range len(raw) {
		if raw[i] != '%' {
			continue
		}
		if i+3 > len(raw) {
			return false
		}
		if _, err := strconv.ParseUint(raw[i+1:i+3], 16, 8); err != nil {
			return false
		}
	}
	return true
}

func dotSegments(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

// webURI is plainURI for http and https: it also wants a host in the one spelling that browsers send.
func webURI(raw string) (*url.URL, string) {
	u, text := plainURI(raw)
	switch {
	case text != "":
		return nil, text
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, "must be an https URI."
	case !goodHost(u):
		return nil, "needs a host name in lower case, without a trailing dot, and if a port then 1 to 65535."
	}
	return u, ""
}

func goodHost(u *url.URL) bool {
	name, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") || port != "" && !goodPort(port) {
		return false
	}
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(name)
		return err == nil && ip.Zone() == "" && ip.String() == name
	}
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" &&
		!strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.Contains(name, "..")
}

// goodPort accepts 1 to 65535 in its one spelling.
func goodPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

// loopbackLiteral says that a host is an address that never leaves the machine. localhost is not: it is a name,
// and what it resolves to is not ours to say (RFC 8252 section 8.3).
func loopbackLiteral(host string) bool { return host == "127.0.0.1" || host == "::1" }

// reverseDomain accepts schemes like jp.example.app (RFC 8252 section 7.1), which also leaves out javascript
// and data.
func reverseDomain(scheme string) bool {
	labels := strings.Split(scheme, ".")
	for _, label := range labels {
		if label == "" {
			return false
		}
	}
	return len(labels) >= 2
}
