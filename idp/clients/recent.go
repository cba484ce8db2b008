package clients

import (
	"math"

	"tegata/storage"
)

// Recent fills in how recent a login a client wants where its request does not say so (OpenID Connect Registration section 2:
// default_max_age, which a max_age in the request replaces, and require_auth_time).
func Recent(c storage.Client, req *storage.AuthRequest) {
	if req.MaxAge == nil {
		req.MaxAge = c.DefaultMaxAge
	}
	req.TellAuthTime = c.RequireAuthTime
}

func (r *registration) maxAge() *int64 {
	if r.DefaultMaxAge != nil && (*r.DefaultMaxAge < 0 || *r.DefaultMaxAge > math.MaxInt32) {
		r.refuse("default_max_age", "must be a number of seconds from 0 to 2147483647.")
	}
	return r.DefaultMaxAge
}
