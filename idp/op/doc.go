// Package op is the protocol edge: it turns HTTP requests of browsers and relying parties into calls of idp and the
// results into OAuth and OpenID Connect answers. It is the only room that knows zitadel/oidc, and holds what
// reference/oidc.md says that library lacks: the front channel (authorize, logout), userinfo and the guards around the
// token endpoint are ours; its op.Server routes and parses the back channel.
// It refuses to know pages (an interface shows them), cards and SQL.
package op
