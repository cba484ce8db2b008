package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// systemLang asks Windows which language its own windows speak, unless a variable says more.
func systemLang() string {
	if l := localeOf(os.Getenv); l != "" {
		return l
	}
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
