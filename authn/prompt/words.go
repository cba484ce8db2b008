package prompt

import (
	"embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tegata/authn/card"
	"tegata/authn/fail"
	"tegata/authn/statement"
)

// Lang is a language of the prompts.
type Lang string

// The languages there are sentences in.
const (
	Japanese Lang = "ja"
	English  Lang = "en"
)

//go:embed words/*.json
var wordFiles embed.FS

// words are the sentences of one language, by key. {name} stands for a foreign text.
type words map[string]string

func loadWords(l Lang) (words, error) {
	body, err := wordFiles.ReadFile("words/" + string(l) + ".json")
	if err != nil {
		return nil, fail.BadInput.At("lang")
	}
	var w words
	return w, json.Unmarshal(body, &w)
}

// say fills in a sentence; pairs are name, text, name, text.
func (w words) say(key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(w[key])
}

// room is what foreign text is cut to: characters, and a number of items.
type room struct{ service, purpose, item, items int }

// rooms from wide to narrow: all of a prompt must fit into one line of pinentry's protocol, even if every character
// takes four bytes, and what must not be cut is the host, the number, the declaration and the tries.
var rooms = []room{{40, 60, 24, 8}, {32, 40, 16, 6}, {24, 24, 12, 4}, {16, 12, 8, 2}, {12, 8, 4, 1}, {8, 4, 4, 1}}

// maxHost is in characters, which are bytes here.
const maxHost = 48

// cleanHost keeps the end of a long host name, where its owner's domain is: a long name in front must not push that out.
func cleanHost(host string) string {
	out := []byte(host)
	for i, b := range out {
		if b <= ' ' || b >= 0x7F || b == '%' {
			out[i] = '?' // hosts are ASCII on the wire, without escapes; another spelling is not ours to show
		}
	}
	if len(out) > maxHost {
		return "…" + string(out[len(out)-maxHost:])
	}
	return string(out)
}

// clean makes foreign text fit for a window: one line, nothing invisible, no characters that turn the direction of what
// follows (they could make one host read like another), at most limit characters.
func clean(text string, limit int) string {
	var out []rune
	for _, r := range text {
		if unicode.IsSpace(r) {
			r = ' '
		}
		if !unicode.IsGraphic(r) {
			continue
		}
		if len(out) == limit {
			out[limit-1] = '…'
			break
		}
		out = append(out, r)
	}
	return strings.TrimSpace(string(out))
}

// window is the head of every window, and what it is about, in the widest room that fits.
func (w words) window(a About, what ...string) form {
	var f form
	for _, r := range rooms {
		f = w.form(append(w.about(a, r), what...)...)
		if len("SETDESC ")+len(escape(f.body))+1 <= maxLine {
			break
		}
	}
	return f
}

func (w words) about(a About, r room) []string {
	lines := []string{
		w.say("asks", "service", clean(a.Service, r.service), "host", cleanHost(a.Host)),
		w.say("provider", "provider", cleanHost(a.Provider)),
	}
	if a.Purpose != "" {
		lines = append(lines, w.say("purpose", "purpose", clean(a.Purpose, r.purpose)))
	}
	lines = append(lines, w.say("number", "number", clean(a.Number, 2)))
	if len(a.Reads) > 0 {
		lines = append(lines, w.say("reads", "reads", w.list("reads_", a.Reads, r)))
	}
	if len(a.Items) > 0 {
		lines = append(lines, w.say("items", "items", w.list("item_", a.Items, r)))
	}
	return lines
}

// list names things; a claim without a sentence is named as the provider spells it.
func (w words) list(prefix string, keys []string, r room) string {
	var out []string
	for _, k := range keys {
		if len(out) == r.items && prefix == "item_" {
			out = append(out, "…")
			break
		}
		name, ok := w[prefix+k]
		if !ok {
			name = clean(k, r.item)
		}
		out = append(out, name)
	}
	return strings.Join(out, w["comma"])
}

var pinKeys = map[card.PIN]string{
	card.AuthPIN: "auth_pin", card.SignPassword: "sign_password", card.CardInfoPIN: "card_info_pin", card.NumberB: "number_b"}

func (w words) tries(n int) string {
	if n == fail.NoTries {
		return w["tries_unknown"]
	}
	return w.say("tries", "n", strconv.Itoa(n))
}

func (w words) ask(a Ask) form {
	pin := w[pinKeys[a.PIN]]
	pattern := w["form_"+pinKeys[a.PIN]]
	f := w.demand(a, w.say("ask", "pin", pin, "form", pattern), pattern)
	f.label = w.say("label", "pin", pin)
	return f
}

// pad is ask for a reader that has keys of its own.
func (w words) pad(a Ask) form {
	a.OtherWay = false // nothing is typed here that could be empty
	return w.demand(a, w.say("pad", "pin", w[pinKeys[a.PIN]]), w["form_"+pinKeys[a.PIN]])
}

// demand asks for something of a pattern.
func (w words) demand(a Ask, what, pattern string) form {
	pin := w[pinKeys[a.PIN]]
	lines := []string{what, w.tries(a.Tries)}
	if a.OtherWay {
		lines = append(lines, w["other_way"])
	}
	if a.Declaration != "" {
		lines = slices.Insert(lines, 0, w.say("declares", "sentence", w.declaration(a.Declaration)))
	}
	f := w.window(a.About, lines...)
	f.title += ": " + pin
	f.brief = w.say("brief", "pin", pin, "host", cleanHost(a.Host), "number", clean(a.Number, 2), "tries", w.tries(a.Tries))
	if a.Before != nil {
		f.problem = w.say(w.problemKey(a.Before), "pin", pin, "form", pattern)
	}
	return f
}

// declaration is the sentence behind a key. What is signed is the key, so a key has one sentence for ever (R8).
func (w words) declaration(key string) string { return w["declare_"+key] }

// Declares says whether there is a sentence to show for a declaration. Nothing may be signed under another.
func Declares(key string) bool { return key == statement.ShareAttributes }

func (w words) problemKey(e *fail.Error) string {
	if _, ok := w["problem_"+e.Code]; ok {
		return "problem_" + e.Code
	}
	return "problem_other"
}

func (w words) lastTry(a Ask) form {
	pin := w[pinKeys[a.PIN]]
	f := w.window(a.About, w.say("last_try", "pin", pin), w["unlock"])
	f.ok, f.brief = w["last_try_ok"], w.say("last_try", "pin", pin)
	return f
}

func (w words) choice(key string) form {
	f := w.form(w[key])
	f.ok, f.next = w["choose_this"], w["choose_next"]
	return f
}

func (w words) ending(e *fail.Error) form {
	f := w.form(w.Ending(e))
	f.ok = w["close"]
	return f
}

// Ending is the sentence for how a login ended, with the tries left where the error tells them.
func (w words) Ending(e *fail.Error) string {
	text, ok := w["end_"+e.Code]
	if !ok {
		text = w["end_other"]
	}
	if e.Tries > 0 {
		text += " " + w.tries(e.Tries)
	}
	return text + " (" + e.Code + ")"
}

func (w words) form(lines ...string) form {
	body := strings.Join(lines, "\n")
	return form{title: w["title"], body: body, brief: lines[0], ok: w["ok"], no: w["cancel"], label: w["answer"]}
}

// Ending is the sentence in which a window says how a login ended.
func Ending(l Lang, e *fail.Error) (string, error) {
	w, err := loadWords(l)
	if err != nil {
		return "", err
	}
	return w.Ending(e), nil
}

// Progress is the sentence for a progress code of the waiting page, "" for one that has none here.
func Progress(l Lang, code string) string {
	w, err := loadWords(l)
	if err != nil {
		return ""
	}
	return w["progress_"+code]
}
