// Package e2e tests the installed agent as a person would meet it: a real smart card service with a virtual card, a real
// pinentry, a real browser whose click starts the agent through the desktop. It holds tests alone.
package e2e
