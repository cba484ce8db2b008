// Package doctor finds what keeps a login from working on this machine, and says how to mend it. Examine is a table of
// pure checks over Facts; Probe gathers the facts without changing anything and without a single PIN.
// It refuses to know how a login is done.
package doctor

import (
	"embed"
	"encoding/json"
	"strings"
	"time"

	"tegata/authn/agent"
	"tegata/authn/card/pcsc"
	"tegata/authn/fail"
	"tegata/authn/prompt"
	"tegata/cmd/tegata-agent/status"
	"tegata/cmd/tegata-agent/trust"
)

// Facts is everything the checks look at.
type Facts struct {
	Now     time.Time
	Version string // of this agent
	System  string // runtime.GOOS

	Service  error           // why the readers could not be listed; nil if they could
	Cause    pcsc.Code       // what PC/SC said; 0 if nothing
	NotBuilt bool            // compiled without PC/SC
	Socket   Socket          // of pcscd, on Linux
	Readers  []status.Reader // with their cards
	Wanted   string          // --reader

	ListError  error // the list of providers cannot be read
	ListOpen   bool  // others may write it
	Providers  []Provider
	Scheme     string // what answers to the URL scheme; "" = nothing
	SchemeRuns string // the program it starts
	SchemeGone bool   // that program is not there
	Program    string // this agent's own path

	Way      prompt.Way // how a PIN can be asked for when a browser starts the agent
	Display  bool       // there is a graphical session
	TextOnly bool       // the way found draws on a terminal only
}

// Socket is how pcscd's socket looks to us.
type Socket int

// The states of a socket.
const (
	SocketUnknown Socket = iota // not asked, or another system
	SocketMissing
	SocketForbidden
	SocketDead // it is there and nobody listens
	SocketFine
)

// Provider is one trusted provider as it answered.
type Provider struct {
	trust.Provider
	Unreachable bool
	Untrusted   bool          // TLS: the system does not trust its certificate
	PinMismatch bool          // TLS: another key than the one noted
	NotOne      bool          // it answers, but not as an OpenID provider of this origin
	Skew        time.Duration // its clock minus ours
	MinVersion  string        // of agents, where it tells
}

// Finding is one thing that is wrong.
type Finding struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"` // which reader or provider
	What   string `json:"what"`
	Fix    string `json:"fix"`
	Note   bool   `json:"note,omitempty"` // worth knowing; logins may work all the same
}

// check is one row: it names the readers or providers concerned, "" for the machine; nil when all is well.
type check struct {
	code string
	note bool
	find func(Facts) []string
}

// maxSkew is how wrong a clock may be: the statements' one minute (statement.MaxSkew).
const maxSkew = time.Minute

// few is how many days before its end a certificate is worth a word.
const few = 90 * 24 * time.Hour

var checks = []check{
	{"not_built", false, machine(func(f Facts) bool { return f.NotBuilt })},
	{"pcscd_socket_forbidden", false, machine(func(f Facts) bool { return f.Service != nil && f.Socket == SocketForbidden })},
	{"pcscd_not_running", false, machine(func(f Facts) bool {
		return isCode(f.Service, fail.PCSCUnavailable) && !f.NotBuilt && f.Socket != SocketForbidden
	})},
	{"no_reader", false, machine(func(f Facts) bool {
		return isCode(f.Service, fail.ReaderNone) && f.Wanted == "" || f.Service == nil && len(f.Readers) == 0
	})},
	{"reader_not_there", false, machine(func(f Facts) bool { return isCode(f.Service, fail.ReaderNone) && f.Wanted != "" })},
	{"reader_empty", false, machine(func(f Facts) bool { return len(f.Readers) > 0 && len(holding(f)) == 0 })},
	{"reader_in_use", false, readers(func(f Facts, r status.Reader) bool { return r.Code == fail.ReaderBusy.Code })},
	{"two_cards", false, machine(func(f Facts) bool { return len(mine(f)) > 1 && f.Wanted == "" })},
	{"card_mute", false, readers(func(f Facts, r status.Reader) bool { return r.Code == fail.CardRemoved.Code })},
	{"card_not_my_number", false, readers(func(f Facts, r status.Reader) bool { return r.Code == fail.CardUnsupported.Code && len(mine(f)) == 0 })},
	{"card_old_juki", false, readers(func(f Facts, r status.Reader) bool { return r.Code == fail.CardOldJuki.Code })},
	{"card_data_broken", false, readers(func(f Facts, r status.Reader) bool { return r.Code == fail.CardDataBroken.Code })},
	{"auth_pin_locked", false, readers(func(f Facts, r status.Reader) bool { return r.Tries != nil && isZero(r.Tries.AuthPIN) })},
	{"password_locked", true, readers(func(f Facts, r status.Reader) bool {
		return r.Tries != nil && isZero(r.Tries.SignPassword) && r.SignCertificate == "present"
	})},
	{"card_info_pin_locked", true, readers(func(f Facts, r status.Reader) bool { return r.Tries != nil && isZero(r.Tries.CardInfoPIN) })},
	{"last_try", true, readers(func(f Facts, r status.Reader) bool { return r.Tries != nil && isOne(r.Tries.AuthPIN) })},
	{"certificate_expired", false, certificates(func(f Facts, c status.Certificate) bool { return c.State == "expired" })},
	{"certificate_not_yet_valid", false, certificates(func(f Facts, c status.Certificate) bool { return c.State == "not_yet_valid" })},
	{"certificate_ends_soon", true, certificates(func(f Facts, c status.Certificate) bool {
		return c.State == "valid" && c.NotAfter.Sub(f.Now) < few
	})},
	{"no_signature_certificate", true, readers(func(f Facts, r status.Reader) bool { return r.SignCertificate == "absent" })},
	{"provider_list_broken", false, machine(func(f Facts) bool { return f.ListError != nil })},
	{"provider_list_open", false, machine(func(f Facts) bool { return f.ListOpen })},
	{"no_provider", false, machine(func(f Facts) bool { return f.ListError == nil && len(f.Providers) == 0 })},
	{"provider_not_https", true, providers(func(f Facts, p Provider) bool { return strings.HasPrefix(p.Origin, "http://") })},
	{"provider_unreachable", false, providers(func(f Facts, p Provider) bool { return p.Unreachable })},
	{"provider_untrusted", false, providers(func(f Facts, p Provider) bool { return p.Untrusted })},
	{"provider_pin_mismatch", false, providers(func(f Facts, p Provider) bool { return p.PinMismatch })},
	{"provider_not_one", false, providers(func(f Facts, p Provider) bool { return p.NotOne })},
	{"clock_off", false, providers(func(f Facts, p Provider) bool { return p.Skew.Abs() > maxSkew })},
	{"agent_outdated", false, providers(func(f Facts, p Provider) bool { return agent.Older(f.Version, p.MinVersion) })},
	{"scheme_not_registered", false, machine(func(f Facts) bool { return f.Scheme == "" })},
	{"scheme_old_path", false, machine(func(f Facts) bool { return f.Scheme != "" && f.SchemeRuns != "" && f.SchemeGone })},
	{"scheme_other_program", false, machine(func(f Facts) bool {
		return f.Scheme != "" && !f.SchemeGone && f.SchemeRuns != f.Program
	})},
	{"no_prompt", false, machine(func(f Facts) bool { return f.Way == prompt.NoWay && f.Display })},
	{"no_display", true, machine(func(f Facts) bool { return !f.Display })},
	{"prompt_needs_terminal", false, machine(func(f Facts) bool { return f.Display && f.Way != prompt.NoWay && f.TextOnly })},
}

func machine(bad func(Facts) bool) func(Facts) []string {
	return func(f Facts) []string {
		if bad(f) {
			return []string{""}
		}
		return nil
	}
}

func readers(bad func(Facts, status.Reader) bool) func(Facts) []string {
	return func(f Facts) (names []string) {
		for _, r := range f.Readers {
			if bad(f, r) {
				names = append(names, r.Name)
			}
		}
		return names
	}
}

func certificates(bad func(Facts, status.Certificate) bool) func(Facts) []string {
	return readers(func(f Facts, r status.Reader) bool { return r.AuthCertificate != nil && bad(f, *r.AuthCertificate) })
}

func providers(bad func(Facts, Provider) bool) func(Facts) []string {
	return func(f Facts) (names []string) {
		for _, p := range f.Providers {
			if bad(f, p) {
				names = append(names, p.Name+" ("+p.Origin+")")
			}
		}
		return names
	}
}

func isCode(err error, want *fail.Error) bool { return err != nil && fail.From(err).Code == want.Code }
func isZero(n *int) bool                      { return n != nil && *n == 0 }
func isOne(n *int) bool                       { return n != nil && *n == 1 }

func holding(f Facts) (out []status.Reader) {
	for _, r := range f.Readers {
		if r.Card != status.NoCard {
			out = append(out, r)
		}
	}
	return out
}

// mine are the readers with a card that can log in.
func mine(f Facts) (out []status.Reader) {
	for _, r := range f.Readers {
		if r.Card == status.MyNumberCard || r.Card == status.Phone {
			out = append(out, r)
		}
	}
	return out
}

//go:embed words/*.json
var wordFiles embed.FS

// Examine applies every check.
func Examine(f Facts, l prompt.Lang) ([]Finding, error) {
	body, err := wordFiles.ReadFile("words/" + string(l) + ".json")
	if err != nil {
		return nil, err
	}
	var words map[string]struct{ What, Fix string }
	if err := json.Unmarshal(body, &words); err != nil {
		return nil, err
	}
	out := []Finding{}
	for _, c := range checks {
		for _, detail := range c.find(f) {
			w := words[c.code]
			out = append(out, Finding{Code: c.code, Detail: detail, What: w.What, Fix: w.Fix, Note: c.note})
		}
	}
	return out, nil
}
