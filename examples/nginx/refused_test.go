//go:build unix

package nginx_test

import (
	"regexp"
	"testing"
)

// TestRefusedByNginx: nginx does not sign requests that no verifier accepts, and does not
// forward them.
func TestRefusedByNginx(t *testing.T) {
	address, taken := record(t)
	n := startNginx(t, "nginx.conf", env, upstream(address))
	for _, tt := range []struct {
		name, target string
		args         []string
		body         []byte
		want         int
	}{
		{"dot segment", "/a/../b", nil, nil, 400},
		{"dot segment at the end", "/a/.", nil, nil, 400},
		{"dot segments beyond the root", "/../b", nil, nil, 400},
		{"encoded dots", "/a/%2e%2E/b", nil, nil, 400},
		{"encoded slash", "/a%2fb", nil, nil, 400},
		{"encoded backslash", "/a%5Cb", nil, nil, 400},
		{"encoded unreserved character", "/%61", nil, nil, 400},
		{"encoded digit", "/%30", nil, nil, 400},
		{"encoded tilde", "/%7E", nil, nil, 400},
		{"NUL", "/a%00", nil, nil, 400},
		{"line break", "/a%0Ab", nil, nil, 400},
		{"bad percent sequence in the path", "/a%zz", nil, nil, 400},
		{"bad percent sequence in the query", "/a?x=%zz", nil, nil, 400},
		{"percent sign at the end", "/a?x=%", nil, nil, 400},
		{"semicolon in the query", "/a?x=1;y=2", nil, nil, 400},
		{"parameter without a name", "/a?x=1&=2", nil, nil, 400},
		{"asterisk form", "/", []string{"--request", "OPTIONS", "--request-target", "*"}, nil, 400},
		{"method in lower case", "/", []string{"--request", "get"}, nil, 400},
		{"TRACE", "/", []string{"--request", "TRACE"}, nil, 405},
		{"unknown transfer coding", "/", []string{"--header", "Transfer-Encoding: xchunked", "--data-binary", "@-"}, []byte("a"), 501},
		{"two credentials", "/", []string{"--header", "Authorization: Basic YTpi", "--header", "Authorization: Basic YTpi"}, nil, 400},
		{"two lengths", "/", []string{"--header", "Content-Length: 1", "--header", "Content-Length: 2", "--request", "POST"}, nil, 400},
		{"signed header that is not UTF-8", "/", []string{"--header", "Content-Type: \xe9"}, nil, 400},
		{"too large", "/", []string{"--data-binary", "@-"}, make([]byte, 12<<20+1), 413},
		{"too large, length unknown", "/", []string{"--upload-file", "-"}, make([]byte, 12<<20+1), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if status, text := curl(t, tt.body, append(tt.args, "http://"+n.addresses[0]+tt.target)...); status != tt.want {
				t.Errorf("got %d %s; want %d", status, text, tt.want)
			}
			select {
			case m := <-taken:
				t.Errorf("the backend got %s %s", m.method, m.target)
			default:
			}
		})
	}
}

// TestForgedHeaders: the backend gets nginx's own values of forged headers.
func TestForgedHeaders(t *testing.T) {
	address, taken := record(t)
	n := startNginx(t, "nginx.conf", env, upstream(address))
	own := map[string]string{
		"Authorization":        "^SDK-HMAC-SHA256 Access=nginx-gateway, SignedHeaders=host;x-sdk-content-sha256;x-sdk-date, Signature=[0-9a-f]{64}$",
		"X-Sdk-Date":           "^20[0-9]{6}T[0-9]{6}Z$",
		"X-Sdk-Content-Sha256": "^" + digest(nil) + "$",
		"X-Forwarded-For":      "^127.0.0.1$",
		"X-Forwarded-Proto":    "^http$",
		"X-Mine":               "^kept$",
		"Accept":               "",
		"User-Agent":           "",
	}
	for i, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
		args := append([]string{version, "--header", "X-Mine: kept"}, forged...)
		if status, text := curl(t, nil, append(args, "http://"+n.addresses[i]+"/")...); status != 200 {
			t.Fatalf("got %d %s", status, text)
		}
		got := <-taken
		if got.host != "backend.example.com" {
			t.Errorf("got host %q", got.host)
		}
		for name, values := range got.header {
			want, ok := own[name]
			if !ok || len(values) != 1 || !regexp.MustCompile(want).MatchString(values[0]) {
				t.Errorf("%s: the backend got %s: %q", version, name, values)
			}
		}
		if len(got.header) != len(own) {
			t.Errorf("%s: the backend got %d headers, want %d: %v", version, len(got.header), len(own), got.header)
		}
	}
}

// TestHeadersNotStripped: if the configuration does not remove forged headers, the script
// does not sign the request.
func TestHeadersNotStripped(t *testing.T) {
	address, _ := record(t)
	n := startNginx(t, "nginx.conf", env, upstream(address),
		edit{`more_clear_input_headers "X-Sdk-*"`, `more_clear_input_headers "X-Other"`}, edit{`"X-Amz-*" "X-Apig-*" "X-Stage"`, ""},
		edit{"underscores_in_headers off;", "underscores_in_headers on;"})
	for _, header := range []string{"X-Sdk-Any: 1", "x-amz-any: 1", "X-Apig-Any: 1", "X-Stage: 1", "X_Sdk_Any: 1", "X-Sdk_Date: 1"} {
		if status, text := curl(t, nil, "--header", header, "http://"+n.addresses[0]+"/"); status != 400 {
			t.Errorf("%s: got %d %s; want 400", header, status, text)
		}
	}
}

// TestNothingIsForwardedUnsigned: nginx forwards nothing without a key or a secret, or if
// the list of headers to sign has one that nginx rewrites.
func TestNothingIsForwardedUnsigned(t *testing.T) {
	address, taken := record(t)
	list := `set $sign_headers "content-type";`
	for _, tt := range []struct {
		name  string
		env   []string
		edits []edit
	}{
		{"no secret", env[:1], nil},
		{"no key", env[1:], nil},
		{"empty secret", []string{env[0], "GATEWAYAUTH_SECRET="}, nil},
		{"header that nginx rewrites", env, []edit{{list, `set $sign_headers "x-forwarded-for";`}}},
	} {
		n := startNginx(t, "nginx.conf", tt.env, append(tt.edits, upstream(address))...)
		if status, text := curl(t, nil, "http://"+n.addresses[0]+"/"); status != 500 {
			t.Errorf("%s: got %d %s; want 500", tt.name, status, text)
		}
		select {
		case m := <-taken:
			t.Errorf("%s: the backend got %s %s", tt.name, m.method, m.target)
		default:
		}
	}
}
