package mynumber

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestHandlerRedactsWhateverIsLogged(t *testing.T) {
	n := individual(eleven)
	var out bytes.Buffer
	log := slog.New(Handler(slog.NewJSONHandler(&out, nil))).With("with", "a "+n).WithGroup("g")
	log.Info("message "+wide(n), "text", n, "error", errors.New("bad "+n), "group", slog.GroupValue(slog.String("inner", n)), "list", []string{n},
		"number", 271828182845, "count", 12, "took", 271828182845*time.Nanosecond, "at", time.Unix(1, 0), "handle", "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vASNFZ4mrze8")
	got := out.String()
	if strings.Contains(got, n) || strings.Contains(got, wide(n)) {
		t.Errorf("a number passed: %s", strings.ReplaceAll(got, n, "NUMBER"))
	}
	for _, want := range []string{`"with":"a [redacted:12d]"`, `"msg":"message [redacted:12d]"`, `"text":"[redacted:12d]"`, `"error":"bad [redacted:12d]"`,
		`"inner":"[redacted:12d]"`, `"list":"[[redacted:12d]]"`, `"count":12`, `"took":271828182845`, `"handle":"q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vASNFZ4mrze8"`, `"g":{`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if Handler(slog.NewJSONHandler(&out, nil)).Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level of the next handler is not asked")
	}
}
