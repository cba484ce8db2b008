//go:build !windows

package main

import "os"

func systemLang() string { return localeOf(os.Getenv) }
