package agent

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tegata/authn/fail"
	"tegata/authn/statement"
)

const (
	goodLogin  = "AAECAwQFBgcICQoLDA0ODw"
	goodSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	goodTicket = goodLogin + "." + goodSecret
)

// hostile are strings that a page, a mail or another program may hand to the agent as a ticket or a link.
func hostile() []string {
	rows := []string{
		"", " ", ".", "..", "-", "--", "\x00", "\n", "%", "{ticket}", "tegata:", "tegata://", "null",
		goodLogin, goodSecret, goodLogin + ".", "." + goodSecret, goodLogin + ".." + goodSecret, goodLogin + "/" + goodSecret,
		goodTicket + ".", "." + goodTicket, goodTicket + "." + goodSecret, goodTicket + goodTicket, goodTicket + "," + goodTicket,
		" " + goodTicket, goodTicket + " ", goodTicket + "\n", "\n" + goodTicket, goodTicket + "\r\nHost: evil.example", goodTicket + "\x00", "\ufeff" + goodTicket,
		goodTicket + "=", goodTicket + "==", goodTicket + "/", goodTicket + "?x=1", goodTicket + "#x", goodTicket + "&issuer=https://evil.example",
		goodTicket + " --issuer=https://evil.example", goodTicket + " -v", goodTicket + `"`, `"` + goodTicket + `"`, "'" + goodTicket + "'", "`" + goodTicket + "`",
		goodTicket + ";id", goodTicket + "|id", goodTicket + "&&id", goodTicket + "$(id)", goodTicket + "%0a", goodTicket + "%00", "%2e" + goodTicket, goodTicket + "\\",
		"--pin=1234", "-h", "--help", "/etc/passwd", "../../etc/passwd", `C:\Windows\win.ini`, `\\evil.example\share`,
		"tegata:" + goodTicket + "x", "tegata://" + goodTicket, "TEGATA:" + goodTicket + "\t", "tegata:/" + goodTicket, "tegata:tegata:" + goodTicket, "tegata:?ticket=" + goodTicket,
		"http://evil.example/" + goodTicket, "https://id.example/" + goodTicket, "file:///" + goodTicket, "javascript:alert(1)//" + goodTicket, "data:text/html," + goodTicket, "mailto:" + goodTicket,
		"<script>alert(1)</script>", "<a href=" + goodTicket + ">", `{"ticket":"` + goodTicket + `"}`, "${jndi:ldap://evil.example}", "' OR 1=1 --",
		strings.Replace(goodTicket, "A", "А", 1), // Cyrillic A
		strings.Replace(goodTicket, "A", "Ａ", 1), // full-width A
		strings.Replace(goodTicket, ".", "．", 1), // full-width dot
		strings.Replace(goodTicket, ".", "。", 1), // ideographic full stop
		goodTicket + "\u200b", "\u202e" + goodTicket, goodTicket + "\u0301", goodTicket + "\xff", "\xc0\xae" + goodTicket,
		strings.Replace(goodTicket, "g", "+", 1), strings.Replace(goodTicket, "g", "/", 1), strings.Replace(goodTicket, "g", "=", 1), strings.Replace(goodTicket, "g", "\n", 1),
		goodTicket[:len(goodTicket)-1], goodTicket + "A", "A" + goodTicket, goodTicket[1:],
		goodTicket[:len(goodTicket)-1] + "9", // the last character's leftover bits are not zero
		strings.Repeat("A", maxTicket), strings.Repeat("A", maxTicket+1), strings.Repeat("A", 1<<20), goodTicket + strings.Repeat("A", 1<<20), strings.Repeat(".", 1<<20),
		strings.Repeat("A", 22) + "." + strings.Repeat("A", 1<<20),
	}
	return rows
}

func TestHostileTicketsAreRefused(t *testing.T) {
	installed, _ := ParseLaunch("tegata:{ticket}")
	if len(hostile()) < 60 {
		t.Fatal("the table has shrunk")
	}
	for i, s := range hostile() {
		name := fmt.Sprintf("%d %.40q", i, s)
		if got, err := ParseTicket(s); !errors.Is(err, fail.BadInput) || got != (Ticket{}) {
			t.Errorf("ParseTicket(%s) = %v, %v", name, got, err)
		}
		for _, link := range []string{s, "tegata:" + s} {
			if got, err := installed.Ticket(link); !errors.Is(err, fail.BadInput) || got != (Ticket{}) {
				t.Errorf("Launch.Ticket(%s) = %v, %v", name, got, err)
			}
		}
		if strings.Contains(s, goodSecret) {
			_, err := ParseTicket(s)
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)), goodSecret) {
				t.Errorf("the error for %s quotes the secret", name)
			}
		}
	}
}

func TestATicketComesBackFromItsLink(t *testing.T) {
	for _, template := range []string{"tegata:{ticket}", "http://127.0.0.1:9002/launch/{ticket}", "http://localhost:9002/l/{ticket}", "https://id.example/app/{ticket}", "http://[::1]:80/{ticket}"} {
		launch, err := ParseLaunch(template)
		if err != nil {
			t.Fatal(err)
		}
		ticket, err := NewTicket(goodLogin, goodSecret)
		if err != nil {
			t.Fatal(err)
		}
		link := launch.Link(ticket)
		if link != strings.Replace(template, "{ticket}", goodTicket, 1) {
			t.Errorf("link %q", link)
		}
		if got, err := launch.Ticket(link); err != nil || got.Reveal() != goodTicket {
			t.Errorf("Ticket(%q) = %q, %v", link, got.Reveal(), err)
		}
	}
	if _, err := (Launch{}).Ticket(goodTicket); !errors.Is(err, fail.BadInput) {
		t.Errorf("the zero Launch matches: %v", err)
	}
}

func TestLaunchTemplatesThatWouldMisleadAreRefused(t *testing.T) {
	for _, template := range []string{
		"", "{ticket}", "tegata:", "tegata:{ticket}x", "tegata:{ticket}{ticket}", "tegata:{x}{ticket}", "tegata://{ticket}", "TEGATA:{ticket}", "javascript:{ticket}",
		"data:text/html,{ticket}", "file:///{ticket}", "http://evil.example/{ticket}", "http://127.0.0.1.evil.example/{ticket}", "//evil.example/{ticket}",
		"/launch/{ticket}", "https:///{ticket}", "https:{ticket}", "http://%zz/{ticket}", "ftp://127.0.0.1/{ticket}",
	} {
		if got, err := ParseLaunch(template); err == nil {
			t.Errorf("ParseLaunch(%q) = %+v", template, got)
		}
	}
}

func TestATicketPrintsAsStars(t *testing.T) {
	ticket, _ := ParseTicket(goodTicket)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "ticket", ticket)
	if out := fmt.Sprintf("%v %+v %#v %s %q", ticket, ticket, ticket, ticket, ticket) + log.String(); strings.Contains(out, goodSecret) {
		t.Errorf("printed: %s", out)
	}
}

func TestTheTicketHashIsThatOfTheSecretsBytes(t *testing.T) {
	ticket, _ := ParseTicket(goodTicket)
	raw, _ := base64.RawURLEncoding.DecodeString(goodSecret)
	if ticket.Hash() != statement.Hash(raw) {
		t.Errorf("Hash = %q", ticket.Hash())
	}
	if (Ticket{Secret: "*"}).Hash() != "" {
		t.Error("something that is no ticket has a hash")
	}
}

func TestEveryTicketComesBack(t *testing.T) {
	bytes := func(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), n, n) }
	rapid.Check(t, func(t *rapid.T) {
		login := base64.RawURLEncoding.EncodeToString(bytes(16).Draw(t, "login"))
		secret := base64.RawURLEncoding.EncodeToString(bytes(32).Draw(t, "secret"))
		if got, err := NewTicket(login, secret); err != nil || got != (Ticket{login, secret}) {
			t.Fatalf("%v, %v", got, err)
		}
	})
}

func FuzzParseTicket(f *testing.F) {
	f.Add(goodTicket)
	for _, s := range hostile() {
		if len(s) < 1<<10 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		ticket, err := ParseTicket(s)
		if err != nil {
			return
		}
		if ticket.Reveal() != s || len(s) != len(goodTicket) || ticket.Hash() == "" || strings.ContainsAny(s, " \t\r\n\"'`$&;|<>%/\\?#=+:") {
			t.Fatalf("accepted %q", s)
		}
	})
}
