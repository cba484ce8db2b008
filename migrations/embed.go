// Package migrations owns the SQL that makes the tables, one timeline per database (goose format).
// It knows no Go types and runs nothing: storage/gormstore applies it.
package migrations

import "embed"

// FS holds postgres/*.sql and sqlite/*.sql.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
