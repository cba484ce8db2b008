// Package docs owns the documents that the product serves about itself, in Markdown.
// It knows no routes and no languages of the pages.
package docs

import "embed"

// FS holds the documents; a document's name is the last part of its address.
//
//go:embed *.md
var FS embed.FS
