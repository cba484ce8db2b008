package provider

import (
	"net/http"
	"time"
)

// Outbound is the client for services that every login asks, such as a revocation responder: it keeps as many idle
// connections to one host as logins run at once, where the default keeps two and dials again for the rest.
func Outbound() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConns: 256, MaxIdleConnsPerHost: 128, IdleConnTimeout: 90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true,
	}}
}
