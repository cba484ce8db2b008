// Package e2e is the sandbox seen from outside: its tests start the real program and use it as a person with a browser, a
// relying party's engineer, or a reader of the README would, and measure what a login costs.
// It refuses to know the insides: what it checks came over HTTP, a terminal, or a screen.
package e2e
