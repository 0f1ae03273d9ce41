package guard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ParseTarget parses the address of the service:
//
//	http://127.0.0.1:8080     HTTP/1.1
//	h2c://127.0.0.1:8081      HTTP/2 without TLS, such as gRPC
//	https://orders.internal   HTTP/2 or HTTP/1.1, as the service chooses
//	unix:/run/orders.sock     HTTP/1.1 over a Unix socket
func ParseTarget(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err == nil && u.Scheme == "unix" && u.Host == "" && u.Opaque == "" && u.Path != "" && u.RawQuery == "" {
		return u, nil
	}
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c":
		if strings.Contains(text, "@") {
			text = "..." // a user and a password, which are no part of it
		}
		return nil, fmt.Errorf("%q is not the URL of a service: write http://, h2c:// (HTTP/2 without TLS, for gRPC) or https:// and host:port, or unix:/path", text)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("%q has more than scheme, host and port: requests are forwarded with the path and query that were signed", u.Redacted())
	}
	return u, nil
}

// NewTransport returns a transport to the service. It uses no proxy, and does not compress or
// decompress.
func NewTransport(to *url.URL) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	t := &http.Transport{
		DialContext:         dialer.DialContext,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 1024, // the limit is what callers open
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		Protocols:           new(http.Protocols),
	}
	switch to.Scheme {
	case "h2c":
		t.Protocols.SetUnencryptedHTTP2(true)
	case "https":
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(true)
	case "unix":
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", to.Path)
		}
		fallthrough
	default:
		t.Protocols.SetHTTP1(true)
	}
	return t
}

// base returns the scheme and host by which net/http connects to the service.
func base(to *url.URL) (scheme, host string) {
	switch to.Scheme {
	case "h2c":
		return "http", to.Host
	case "unix":
		return "http", "localhost" // sent where a request has no host
	}
	return to.Scheme, to.Host
}
