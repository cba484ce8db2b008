package clients

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ParseFile reads a JSON array of client metadata. It checks shapes and that no client_id comes twice; the
// rules are for Rules.Client. The error lists every mistake with the index of its client (from 0) and its member.
func ParseFile(b []byte) ([]Metadata, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(b, &entries); err != nil || entries == nil {
		return nil, errors.New("clients: the file must be a JSON array of client metadata objects" + position(err))
	}
	var mistakes []error
	list := make([]Metadata, len(entries))
	first := map[string]int{}
	for i, entry := range entries {
		if err := list[i].UnmarshalJSON(entry); err != nil {
			mistakes = append(mistakes, fmt.Errorf("clients[%d]: %w", i, err))
			continue
		}
		id := list[i].ClientID
		if earlier, taken := first[id]; taken && id != "" {
			mistakes = append(mistakes, fmt.Errorf("clients[%d]: client_id: the same as in clients[%d]", i, earlier))
			continue
		}
		first[id] = i
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return list, nil
}

// position tells where the JSON breaks off without quoting it: secrets are in there.
func position(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("; it is not JSON at byte %d", syntax.Offset)
	}
	return ""
}
