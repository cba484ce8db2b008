//go:build !windows && !darwin

package prompt

// systemDialog: other systems draw no window of their own; pinentry does.
func systemDialog() (screen, bool) { return nil, false }
