// Package personas holds the fictional people of the sandbox and the tests, one JSON file each; the file's
// name is the persona's. authn/cardtest reads them. Nobody here exists, nor do the places below their prefecture.
package personas

import "embed"

// FS is the persona files.
//
//go:embed *.json
var FS embed.FS
