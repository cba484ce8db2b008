package ui

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var declaration = regexp.MustCompile(`(--[a-z0-9-]+):\s*([^;]+);`)

// palette reads the custom properties of a scheme out of the style sheets, as a browser would.
func palette(t *testing.T, dark bool) map[string]string {
	t.Helper()
	values := map[string]string{}
	collect := func(css string) {
		for _, m := range declaration.FindAllStringSubmatch(css, -1) {
			values[m[1]] = m[2]
		}
	}
	tokens, err := os.ReadFile("static/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	style, err := os.ReadFile("static/tegata.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(style), "@media (prefers-color-scheme: dark) {")
	if !found {
		t.Fatal("no dark scheme")
	}
	collect(string(tokens))
	collect(light)
	if dark {
		block, _, _ := strings.Cut(rest, "\n}")
		collect(block)
	}
	return values
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, values map[string]string, name string) float64 {
	t.Helper()
	value := values[name]
	if inner, ok := strings.CutPrefix(value, "var("); ok {
		return luminance(t, values, strings.TrimSuffix(inner, ")"))
	}
	hex := strings.TrimPrefix(value, "#")
	if len(hex) == 3 {
		hex = strings.Join([]string{hex[:1], hex[:1], hex[1:2], hex[1:2], hex[2:], hex[2:]}, "")
	}
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		t.Fatalf("%s is %q, not a colour", name, value)
	}
	linear := func(c uint64) float64 {
		s := float64(c&0xff) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}

func TestContrast(t *testing.T) {
	const text, shape = 4.5, 3 // WCAG 2.2 1.4.3 and 1.4.11
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"--ink", "--ground", text}, {"--ink", "--sheet", text}, {"--ink", "--ai-pale", text}, {"--ink", "--warn-pale", text},
		{"--ink-soft", "--ground", text}, {"--ink-soft", "--sheet", text}, {"--ink-soft", "--ai-pale", text},
		{"--ai", "--ground", text}, {"--ai", "--sheet", text}, {"--ai", "--ai-pale", text}, {"--ai-deep", "--ai-pale", text},
		{"--on-ai", "--ai", text}, {"--on-ai", "--ai-deep", text},
		{"--good", "--ground", text}, {"--good", "--sheet", text},
		{"--warn", "--ground", text}, {"--warn", "--sheet", text}, {"--warn", "--warn-pale", text},
		{"--edge", "--sheet", shape}, {"--edge", "--ground", shape}, {"--shu", "--ground", shape}, {"--shu", "--sheet", shape},
		{"--focus-ink", "--ground", shape}, {"--focus-ink", "--sheet", shape},
	}
	for scheme, dark := range map[string]bool{"light": false, "dark": true} {
		values := palette(t, dark)
		for _, p := range pairs {
			a, b := luminance(t, values, p.front), luminance(t, values, p.back)
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < p.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", scheme, p.front, p.back, ratio, p.least)
			}
		}
	}
}

// Every value that the style uses is one that the style sheets define.
func TestNoColourIsMissing(t *testing.T) {
	values := palette(t, false)
	style, err := os.ReadFile("static/tegata.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range declaration.FindAllStringSubmatch(string(style), -1) {
		values[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllStringSubmatch(string(style), -1) {
		if values[m[1]] == "" {
			t.Errorf("%s is not defined", m[1])
		}
	}
}
