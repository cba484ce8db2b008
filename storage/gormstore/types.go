package gormstore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// instant is a point in time to the microsecond: timestamptz in PostgreSQL, microseconds since 1970 in SQLite.
// The zero time is NULL. It is read back in UTC.
type instant struct{ time.Time }

// GormDataType keeps gorm from filling in CreatedAt and UpdatedAt: the store has no clock.
func (instant) GormDataType() string { return "instant" }

// GormValue binds the form that the database at hand keeps.
func (i instant) GormValue(_ context.Context, db *gorm.DB) clause.Expr {
	return clause.Expr{SQL: "?", Vars: []any{i.bound(db.Name() != "sqlite")}}
}

// bound is what a driver takes. nil is the zero time.
func (i instant) bound(postgres bool) any {
	switch {
	case i.IsZero():
		return nil
	case postgres:
		return i.Time.UTC()
	}
	return i.UnixMicro()
}

// Scan implements sql.Scanner.
func (i *instant) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		i.Time = time.Time{}
	case int64:
		i.Time = time.UnixMicro(value).UTC()
	case time.Time:
		i.Time = value.UTC()
	default:
		return fmt.Errorf("a %T is no time", value)
	}
	return nil
}

// ScanTimestamptz implements pgtype.TimestamptzScanner.
func (i *instant) ScanTimestamptz(value pgtype.Timestamptz) error {
	i.Time = value.Time.UTC() // the zero time where it is NULL
	return nil
}

// blob is a byte string. Nothing is NULL, never an empty string: NULLs are distinct under UNIQUE.
type blob []byte

// Value implements driver.Valuer.
func (b blob) Value() (driver.Value, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return []byte(b), nil
}

// Scan implements sql.Scanner. It copies, the driver owns value.
func (b *blob) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*b = nil
	case []byte:
		*b = append(blob(nil), value...)
	default:
		return fmt.Errorf("a %T is no byte string", value)
	}
	return nil
}

// ScanBytes implements pgtype.BytesScanner.
func (b *blob) ScanBytes(value []byte) error {
	*b = append(blob(nil), value...)
	return nil
}

// document is a value kept as JSON. A nil list is NULL, an empty one is [].
type document[T any] struct{ V T }

// GormDataType tells gorm that this is one column.
func (document[T]) GormDataType() string { return "json" }

// Value implements driver.Valuer.
func (d document[T]) Value() (driver.Value, error) {
	out, err := json.Marshal(d.V)
	if err != nil || string(out) == "null" {
		return nil, err
	}
	return string(out), nil
}

// Scan implements sql.Scanner.
func (d *document[T]) Scan(value any) error {
	var zero T
	d.V = zero
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return json.Unmarshal([]byte(value), &d.V)
	case []byte:
		return json.Unmarshal(value, &d.V)
	}
	return fmt.Errorf("a %T is no document", value)
}

// ScanBytes implements pgtype.BytesScanner.
func (d *document[T]) ScanBytes(value []byte) error {
	var zero T
	if d.V = zero; value == nil {
		return nil
	}
	if list, ok := any(&d.V).(*[]string); ok {
		if *list, ok = plainList(value); ok {
			return nil
		}
	}
	return json.Unmarshal(value, &d.V)
}

// plainList reads a JSON list of strings as Value writes it when no character needed an escape, which spares the parser
// where a grant is read. Everything else is not ok.
func plainList(text []byte) (list []string, ok bool) {
	inner, ok := bytes.CutPrefix(text, []byte(`["`))
	if !ok || !bytes.HasSuffix(inner, []byte(`"]`)) || bytes.IndexByte(inner, '\\') >= 0 || !utf8.Valid(text) {
		return nil, false
	}
	for _, item := range bytes.Split(inner[:len(inner)-2], []byte(`","`)) {
		if bytes.ContainsFunc(item, func(r rune) bool { return r == '"' || r < ' ' }) {
			return nil, false
		}
		list = append(list, string(item))
	}
	return list, true
}
