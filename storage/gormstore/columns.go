package gormstore

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm/schema"
)

// columns are the columns of a row struct, for the statements that gorm cannot build: those that do several things at once.
type columns []*schema.Field

// columnsOf lists the columns of a row struct without some. It panics if row is no row struct: that is found at start.
func columnsOf(row any, without ...string) columns {
	parsed, err := schema.Parse(row, new(sync.Map), schema.NamingStrategy{})
	if err != nil {
		panic(err)
	}
	return slices.DeleteFunc(parsed.Fields, func(f *schema.Field) bool { return slices.Contains(without, f.DBName) })
}

// names is "a, b, c".
func (c columns) names() string { return c.join(", ", func(name string) string { return name }) }

// of is "t.a, t.b, t.c".
func (c columns) of(table string) string {
	return c.join(", ", func(name string) string { return table + "." + name })
}

// marks is "?, ?, ?".
func (c columns) marks() string { return c.join(", ", func(string) string { return "?" }) }

// fields are pointers to the fields of row, which is a pointer too: what a hot statement binds to marks, or scans
// names into. More may follow.
func (c columns) fields(row any, more ...any) []any {
	fields, from := make([]any, 0, len(c)+len(more)), reflect.ValueOf(row)
	for _, field := range c {
		fields = append(fields, field.ReflectValueOf(context.Background(), from).Addr().Interface())
	}
	return append(fields, more...)
}

func (c columns) join(with string, each func(name string) string) string {
	parts := make([]string, len(c))
	for i, field := range c {
		parts[i] = each(field.DBName)
	}
	return strings.Join(parts, with)
}
