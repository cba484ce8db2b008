package doctor

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

var noon = time.Date(2026, 4, 15, 12, 0, 0, 0, time.UTC)

func n(i int) *int { return &i }

// well is a machine on which logins work.
func well() Facts {
	return Facts{
		Now: noon, Version: "1.2", System: "linux", Socket: SocketFine,
		Readers: []status.Reader{{
			Name: "Reader A", Card: status.MyNumberCard, SignCertificate: "present",
			AuthCertificate: &status.Certificate{NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(3, 0, 0), State: "valid"},
			Tries:           &status.Tries{AuthPIN: n(3), SignPassword: n(5), CardInfoPIN: n(3), NumberB: n(10)},
		}},
		Providers: []Provider{{Provider: trust.Provider{Name: "City", Origin: "https://id.city.example"}, MinVersion: "1.0"}},
		Scheme:    "/home/a/.local/share/applications/tegata-agent.desktop", SchemeRuns: "/usr/bin/tegata-agent", Program: "/usr/bin/tegata-agent",
		Way: prompt.Pinentry, Display: true,
	}
}

func TestAWellMachineHasNoFindings(t *testing.T) {
	for _, l := range []prompt.Lang{prompt.English, prompt.Japanese} {
		if found, err := Examine(well(), l); err != nil || len(found) != 0 {
			t.Fatal(found, err)
		}
	}
}

// misconfigurations seeds one at a time: exactly it is found, as a problem or as a note.
var misconfigurations = []struct {
	code string
	note bool
	seed func(f *Facts)
}{
	{"not_built", false, func(f *Facts) { f.Service, f.NotBuilt, f.Readers = fail.PCSCUnavailable, true, nil }},
	{"pcscd_not_running", false, func(f *Facts) { f.Service, f.Socket, f.Readers = fail.PCSCUnavailable, SocketMissing, nil }},
	{"pcscd_not_running", false, func(f *Facts) { f.Service, f.Socket, f.Readers = fail.PCSCUnavailable, SocketDead, nil }},
	{"pcscd_socket_forbidden", false, func(f *Facts) { f.Service, f.Socket, f.Readers = fail.PCSCUnavailable, SocketForbidden, nil }},
	{"no_reader", false, func(f *Facts) { f.Service, f.Readers = fail.ReaderNone, nil }},
	{"reader_not_there", false, func(f *Facts) { f.Service, f.Readers, f.Wanted = fail.ReaderNone, nil, "Reader Z" }},
	{"reader_empty", false, func(f *Facts) {
		f.Readers = []status.Reader{{Name: "A", Card: status.NoCard}, {Name: "B", Card: status.NoCard}}
	}},
	{"reader_in_use", false, refused(fail.ReaderBusy)},
	{"two_cards", false, func(f *Facts) { f.Readers = append(f.Readers, f.Readers[0]) }},
	{"card_mute", false, refused(fail.CardRemoved)},
	{"card_not_my_number", false, refused(fail.CardUnsupported)},
	{"card_old_juki", false, refused(fail.CardOldJuki)},
	{"card_data_broken", false, refused(fail.CardDataBroken)},
	{"auth_pin_locked", false, func(f *Facts) { f.Readers[0].Tries.AuthPIN = n(0) }},
	{"password_locked", true, func(f *Facts) { f.Readers[0].Tries.SignPassword = n(0) }},
	{"card_info_pin_locked", true, func(f *Facts) { f.Readers[0].Tries.CardInfoPIN = n(0) }},
	{"last_try", true, func(f *Facts) { f.Readers[0].Tries.AuthPIN = n(1) }},
	{"certificate_expired", false, func(f *Facts) { f.Readers[0].AuthCertificate.State = "expired" }},
	{"certificate_not_yet_valid", false, func(f *Facts) { f.Readers[0].AuthCertificate.State = "not_yet_valid" }},
	{"certificate_ends_soon", true, func(f *Facts) { f.Readers[0].AuthCertificate.NotAfter = noon.AddDate(0, 1, 0) }},
	{"no_signature_certificate", true, func(f *Facts) { f.Readers[0].SignCertificate = "absent" }},
	{"provider_list_broken", false, func(f *Facts) { f.ListError, f.Providers = errors.New("x"), nil }},
	{"provider_list_open", false, func(f *Facts) { f.ListOpen = true }},
	{"no_provider", false, func(f *Facts) { f.Providers = nil }},
	{"provider_not_https", true, func(f *Facts) { f.Providers[0].Origin = "http://127.0.0.1:9000" }},
	{"provider_unreachable", false, func(f *Facts) { f.Providers[0].Unreachable = true }},
	{"provider_untrusted", false, func(f *Facts) { f.Providers[0].Untrusted = true }},
	{"provider_pin_mismatch", false, func(f *Facts) { f.Providers[0].PinMismatch = true }},
	{"provider_not_one", false, func(f *Facts) { f.Providers[0].NotOne = true }},
	{"clock_off", false, func(f *Facts) { f.Providers[0].Skew = 61 * time.Second }},
	{"clock_off", false, func(f *Facts) { f.Providers[0].Skew = -10 * time.Minute }},
	{"agent_outdated", false, func(f *Facts) { f.Providers[0].MinVersion = "1.10" }},
	{"scheme_not_registered", false, func(f *Facts) { f.Scheme, f.SchemeRuns = "", "" }},
	{"scheme_old_path", false, func(f *Facts) { f.SchemeRuns, f.SchemeGone = "/old/tegata-agent", true }},
	{"scheme_other_program", false, func(f *Facts) { f.SchemeRuns = "/usr/bin/other" }},
	{"scheme_other_program", false, func(f *Facts) { f.SchemeRuns = "" }},
	{"no_prompt", false, func(f *Facts) { f.Way = prompt.NoWay }},
	{"no_display", true, func(f *Facts) { f.Display, f.Way = false, prompt.NoWay }},
	{"prompt_needs_terminal", false, func(f *Facts) { f.TextOnly = true }},
}

func refused(e *fail.Error) func(*Facts) {
	return func(f *Facts) { f.Readers = []status.Reader{{Name: "A", Card: status.Unknown, Code: e.Code}} }
}

func TestEveryMisconfigurationIsFoundAlone(t *testing.T) {
	seen := map[string]bool{}
	for _, tc := range misconfigurations {
		t.Run(tc.code, func(t *testing.T) {
			f := well()
			tc.seed(&f)
			for _, l := range []prompt.Lang{prompt.English, prompt.Japanese} {
				found, err := Examine(f, l)
				if err != nil {
					t.Fatal(err)
				}
				if len(found) != 1 || found[0].Code != tc.code || found[0].Note != tc.note {
					t.Fatalf("found %+v", found)
				}
				if found[0].What == "" || found[0].Fix == "" {
					t.Errorf("%s: nothing to say", l)
				}
				if Healthy(found) != tc.note {
					t.Error("the verdict")
				}
			}
		})
		seen[tc.code] = true
	}
	for _, c := range checks {
		if !seen[c.code] {
			t.Errorf("nobody has seen %s", c.code)
		}
	}
	if len(seen) < 15 {
		t.Error("fewer than 15 misconfigurations")
	}
}

func TestWhatIsNoMisconfiguration(t *testing.T) {
	for name, seed := range map[string]func(*Facts){
		"a child's card: locked from birth, and no certificate": func(f *Facts) {
			f.Readers[0].SignCertificate, f.Readers[0].Tries.SignPassword = "absent", n(0)
		},
		"a clock that is a little off":        func(f *Facts) { f.Providers[0].Skew = 59 * time.Second },
		"two cards, and the reader was named": func(f *Facts) { f.Readers, f.Wanted = append(f.Readers, f.Readers[0]), "Reader A" },
		"another card beside the right one": func(f *Facts) {
			f.Readers = append(f.Readers, status.Reader{Name: "B", Card: status.Unknown, Code: fail.CardUnsupported.Code})
		},
		"a phone, which has no other application":    func(f *Facts) { f.Readers[0].Card, f.Readers[0].Tries.CardInfoPIN = status.Phone, nil },
		"a provider that does not tell versions":     func(f *Facts) { f.Providers[0].MinVersion = "" },
		"an empty reader beside the one with a card": func(f *Facts) { f.Readers = append(f.Readers, status.Reader{Name: "B", Card: status.NoCard}) },
	} {
		f := well()
		seed(&f)
		found, err := Examine(f, prompt.English)
		if err != nil {
			t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(x Finding) bool { return x.Code == "no_signature_certificate" })
		if len(found) != 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestEverySentenceBelongsToACheck(t *testing.T) {
	for _, l := range []string{"en", "ja"} {
		body, err := wordFiles.ReadFile("words/" + l + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(body), `"what":`); got != len(checks) {
			t.Errorf("%s has %d sentences for %d checks", l, got, len(checks))
		}
	}
}
