package headless

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// jar keeps host-only cookies and can be written to a file in Netscape form, which curl and wget also read.
// Domain cookies are kept for their host alone: the provider sets none.
type jar struct {
	cookies []stored
	now     func() time.Time
}

type stored struct {
	host     string
	path     string
	name     string
	value    string
	secure   bool
	httpOnly bool
	expires  time.Time // zero: with the session
}

// SetCookies implements http.CookieJar.
func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		s := stored{host: u.Hostname(), path: c.Path, name: c.Name, value: c.Value, secure: c.Secure, httpOnly: c.HttpOnly, expires: c.Expires}
		if !strings.HasPrefix(s.path, "/") {
			s.path = "/"
		}
		if c.MaxAge > 0 {
			s.expires = j.now().Add(time.Duration(c.MaxAge) * time.Second)
		}
		j.remove(s)
		if c.MaxAge >= 0 && (s.expires.IsZero() || s.expires.After(j.now())) {
			j.cookies = append(j.cookies, s)
		}
	}
}

func (j *jar) remove(s stored) {
	var kept []stored
	for _, old := range j.cookies {
		if old.host != s.host || old.path != s.path || old.name != s.name {
			kept = append(kept, old)
		}
	}
	j.cookies = kept
}

// Cookies implements http.CookieJar. Secure cookies go to https and to this machine, as browsers do it.
func (j *jar) Cookies(u *url.URL) []*http.Cookie {
	var out []*http.Cookie
	for _, s := range j.cookies {
		live := s.expires.IsZero() || s.expires.After(j.now())
		safe := !s.secure || u.Scheme == "https" || u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"
		if live && safe && s.host == u.Hostname() && covers(s.path, u.Path) {
			out = append(out, &http.Cookie{Name: s.name, Value: s.value})
		}
	}
	return out
}

// covers is the path match of RFC 6265 5.1.4.
func covers(cookie, request string) bool {
	if request == "" {
		request = "/"
	}
	return request == cookie || strings.HasPrefix(request, cookie) && (strings.HasSuffix(cookie, "/") || strings.HasPrefix(request[len(cookie):], "/"))
}

const httpOnlyMark = "#HttpOnly_"

// load reads a Netscape cookie file; one that does not exist is empty.
func (j *jar) load(path string) error {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, httpOnly := strings.CutPrefix(lines.Text(), httpOnlyMark)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		part := strings.Split(line, "\t")
		if len(part) != 7 {
			return fmt.Errorf("%s:%d is not a line of a Netscape cookie file", path, n)
		}
		seconds, err := strconv.ParseInt(part[4], 10, 64)
		if err != nil {
			return fmt.Errorf("%s:%d has no expiry time", path, n)
		}
		s := stored{host: strings.TrimPrefix(part[0], "."), path: part[2], secure: part[3] == "TRUE", name: part[5], value: part[6], httpOnly: httpOnly}
		if seconds > 0 {
			s.expires = time.Unix(seconds, 0)
		}
		j.cookies = append(j.cookies, s)
	}
	return lines.Err()
}

// save writes the file anew, readable by its owner alone: its cookies are a login.
func (j *jar) save(path string) error {
	var b strings.Builder
	b.WriteString("# Netscape HTTP Cookie File\n")
	for _, s := range j.cookies {
		if s.httpOnly {
			b.WriteString(httpOnlyMark)
		}
		var expires int64
		if !s.expires.IsZero() {
			expires = s.expires.Unix()
		}
		fmt.Fprintf(&b, "%s\tFALSE\t%s\t%s\t%d\t%s\t%s\n", s.host, s.path, strings.ToUpper(strconv.FormatBool(s.secure)), expires, s.name, s.value)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".cookies-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(b.String())
	if err2 := tmp.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name()) // the first error is the one to tell
	}
	return err
}
