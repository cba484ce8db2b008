package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/term"

	"tegata/authn/prompt"
)

// lang is the language asked for, or the person's.
func (c *commands) lang() prompt.Lang {
	if c.Lang == "ja" || c.Lang == "en" {
		return prompt.Lang(c.Lang)
	}
	if strings.HasPrefix(systemLang(), "ja") {
		return prompt.Japanese
	}
	return prompt.English
}

// localeOf reads the usual variables, first things first (POSIX 8.2).
func localeOf(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			return v
		}
	}
	return ""
}

// around is what the choice of a prompt depends on here.
func (c *commands) around(m machine) prompt.Surroundings {
	s := prompt.Surroundings{
		System: runtime.GOOS, Env: os.Getenv, LookPath: exec.LookPath, Pinentry: c.Pinentry,
		Terminal: term.IsTerminal(int(m.In.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
	}
	if s.Terminal {
		if name, err := filepath.EvalSymlinks("/proc/self/fd/0"); err == nil && strings.HasPrefix(name, "/dev/") {
			s.TTY = name
		}
	}
	return s
}

func (c *commands) prompter(m machine) (prompt.Prompter, error) {
	if c.PINStdin {
		return prompt.NewScript(c.lang(), m.In, m.Err, c.SpendLastTry)
	}
	return prompt.New(c.around(m), c.lang(), m.In, m.Err)
}

// openBrowser shows an address in the default browser. It carries the completion code for a moment, which is worth
// nothing without the cookie of the browser where the login started.
func openBrowser(ctx context.Context, url string) error {
	switch runtime.GOOS {
	case "windows":
		return start(ctx, "rundll32", "url.dll,FileProtocolHandler", url)
	case "darwin":
		return start(ctx, "open", url)
	}
	return start(ctx, "xdg-open", url)
}
