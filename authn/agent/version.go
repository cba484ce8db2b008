package agent

// Older says whether version have is below least: digits with dots, number by number; no version is below any.
func Older(have, least string) bool { return isOlder(have, least) }
