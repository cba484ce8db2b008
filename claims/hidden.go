package claims

import (
	"fmt"
	"io"
	"log/slog"
)

const stars = "***"

// hidden is embedded in every type that holds personal data: whatever verb, logger or template meets the
// value, it shows stars.
type hidden struct{}

// Format prints stars for every verb and flag.
func (hidden) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, stars) }

// LogValue logs stars.
func (hidden) LogValue() slog.Value { return slog.StringValue(stars) }
