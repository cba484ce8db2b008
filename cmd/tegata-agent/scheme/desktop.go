package scheme

import (
	"strings"
)

// DesktopFile is the name of our desktop entry.
const DesktopFile = "tegata-agent.desktop"

// Entry is the desktop entry that starts program (freedesktop.org's Desktop Entry Specification 1.5).
func Entry(program string) string {
	return strings.Join([]string{
		"[Desktop Entry]",
		"Type=Application",
		"Version=1.5",
		"Name=Tegata agent",
		"GenericName=Card login",
		"Comment=Log in to websites with a My Number Card",
		"Exec=" + execWord(program) + " " + strings.Join(Arguments, " ") + " %u",
		"Terminal=false",
		"NoDisplay=true",
		"StartupNotify=false",
		"MimeType=" + MIME + ";",
		"",
	}, "\n")
}

// execWord quotes a path where it must be: xdg-open's own launcher does not understand quotes, so the usual path goes
// without. First the quoting of the Exec key, then the escapes of every string in the file.
func execWord(path string) string {
	plain := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-+@", r))
	}
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.IndexFunc(path, plain) < 0 {
		return path
	}
	quoted := strings.NewReplacer(`"`, `\"`, "`", "\\`", `$`, `\$`, `\`, `\\`).Replace(path)
	return `"` + strings.ReplaceAll(quoted, `\`, `\\`) + `"`
}

// programOf reads the program back out of an entry's Exec key; "" when it is not one that we wrote.
func programOf(entry string) string {
	for line := range strings.Lines(entry) {
		command, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "Exec=")
		if !ok {
			continue
		}
		word, ok := strings.CutSuffix(command, " "+strings.Join(Arguments, " ")+" %u")
		if !ok {
			return ""
		}
		if inner, quoted := strings.CutPrefix(word, `"`); quoted {
			inner = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `\\`, `\`)
			word = strings.NewReplacer(`\"`, `"`, "\\`", "`", `\$`, `$`, `\\`, `\`).Replace(inner)
		}
		return strings.ReplaceAll(word, "%%", "%")
	}
	return ""
}

const defaultsGroup = "[Default Applications]"

// withDefault makes our entry the one that opens the scheme, in the text of a mimeapps.list (freedesktop.org's MIME
// applications specification 1.0.1). All other lines stay as they are.
func withDefault(list, desktop string) string {
	list = withoutDefault(list, "")
	if list != "" && !strings.HasSuffix(list, "\n") {
		list += "\n"
	}
	line := MIME + "=" + desktop + "\n"
	if before, after, found := strings.Cut(list, defaultsGroup+"\n"); found {
		return before + defaultsGroup + "\n" + line + after
	}
	return list + defaultsGroup + "\n" + line
}

// withoutDefault takes the scheme's line out of the defaults; if desktop is not "", only when it names that one.
func withoutDefault(list, desktop string) string {
	var out strings.Builder
	group := ""
	for line := range strings.Lines(list) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "[") {
			group = text
		}
		name, value, _ := strings.Cut(text, "=")
		ours := desktop == "" || strings.TrimSuffix(strings.TrimSpace(value), ";") == desktop
		if group == defaultsGroup && strings.TrimSpace(name) == MIME && ours {
			continue
		}
		out.WriteString(line)
	}
	return out.String()
}

// defaultIn tells the desktop file that a mimeapps.list names for the scheme, "" for none.
func defaultIn(list string) string {
	group := ""
	for line := range strings.Lines(list) {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "[") {
			group = text
		}
		if name, value, ok := strings.Cut(text, "="); ok && group == defaultsGroup && strings.TrimSpace(name) == MIME {
			first, _, _ := strings.Cut(strings.TrimSpace(value), ";")
			return first
		}
	}
	return ""
}
