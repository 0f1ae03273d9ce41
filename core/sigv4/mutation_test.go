package sigv4_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestEveryByte (T141): every byte of a signed request is replaced by others,
// and the request refused, but for the changes that collide says.
func TestEveryByte(t *testing.T) {
	// Each holds white space, letters and escapes that some change could hide in.
	request := p4().withBody(`{"amount":100}`)
	request.target, request.canonicalURI = "/v1/it%2Fems%C3%a4", "/v1/it%252Fems%25C3%25a4"
	request.target += "?b=%2Fx&a=1"
	request.canonicalQuery = "a=1&b=%2Fx"
	request = request.with("X-Note", "two blanks")
	object := request
	object.target = strings.Replace(object.target, "%2F", "%2B", 1)
	object.canonicalURI = "/v1/it%2Bems%C3%A4"
	regional := request
	regional.token, regional.scope = p5().token, p5().scope
	regional.headers = append(regional.headers, "X-Amz-Region-Set: us-east-1")
	regional.canonicalHeaders = strings.Replace(regional.canonicalHeaders, "x-note", "x-amz-region-set:us-east-1\nx-note", 1)
	regional.signedHeaders = strings.Replace(regional.signedHeaders, "x-note", "x-amz-region-set;x-note", 1)
	link := p4().presign("60")
	link.target, link.canonicalURI = "/v1/it%2Fems", "/v1/it%252Fems"

	for _, tt := range []struct {
		name   string
		scheme core.Scheme
		raw    string
	}{
		{"header", v4(testKey()), request.raw()},
		{"header, S3", v4s3(testKey()), object.raw()},
		{"header, SigV4a", v4a(testKey()), regional.raw()},
		{"query", v4(testKey()), link.link()},
		{"query, SigV4a", v4a(testKey()), p5().presign("60", "X-Amz-Region-Set=us-east-1").link()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := environment(t, tt.scheme, allowPresigned, allowUnsigned)
			expect(t, v, tt.raw, accepted)
			tried, refused := 0, 0
			for i := range tt.raw {
				for _, b := range others(tt.raw[i]) {
					changed := tt.raw[:i] + string([]byte{b}) + tt.raw[i+1:]
					tried++
					code, read := verdict(v, changed)
					if !read || code != "" {
						refused++
					} else if why := collide(tt.raw, i, b); why == "" {
						t.Errorf("byte %d, %q to %q: accepted\n%q", i, tt.raw[i], b, changed)
					}
				}
			}
			if refused < tried*8/10 {
				t.Errorf("only %d of %d changes were refused", refused, tried)
			}
		})
	}
}

// verdict is verify for requests that a server may not be able to read.
func verdict(v *core.Verifier, raw string) (code core.Code, read bool) {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		return "", false
	}
	defer core.Release(r)
	_, err = v.Verify(r)
	return core.CodeOf(err), true
}

// others returns a neighbour, the other case, white space, a delimiter and a
// byte beyond ASCII.
func others(b byte) (list []byte) {
	for _, o := range []byte{b + 1, b ^ 0x20, b ^ 1, ' ', '\t', '/', '&', '%', 0xff} {
		if o != b {
			list = append(list, o)
		}
	}
	return list
}

// collide says why a changed byte leaves the signature valid: what HTTP says is
// the same request, or what the package's documentation names.
func collide(raw string, i int, b byte) string {
	lineEnd, lineStart := i+strings.IndexByte(raw[i:], '\n'), strings.LastIndexByte(raw[:i], '\n')+1
	target := [2]int{strings.IndexByte(raw, ' ') + 1, strings.Index(raw, " HTTP/1.1")}
	line, at := raw[lineStart:max(lineEnd, lineStart)], i-lineStart
	otherCase := raw[i]^b == 0x20 && strings.ContainsAny(raw[i:i+1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	blank := func(c byte) bool { return c == ' ' || c == '\t' }
	switch {
	case lineStart == 0 && i >= target[1] && i < lineEnd:
		return "the version of HTTP is not signed"
	case lineStart == 0 && otherCase && i < target[1] && (raw[i-1] == '%' || raw[i-2] == '%'):
		// %2f for %2F: in the path for S3 alone, in the query for all.
		if strings.Contains(raw[target[0]:i], "?") || strings.Contains(raw, "%2B") {
			return "hexadecimal digits of an escape have two cases"
		}
	case lineStart > 0 && otherCase && at < strings.IndexByte(line, ':'):
		return "names of headers have no case"
	case lineStart > 0 && blank(raw[i]) && blank(b):
		return "white space around and inside a value"
	case raw[i] == '\r' && blank(b):
		return "white space before the end of a line"
	}
	return ""
}

// TestCollisions: the other spellings of a signed request that are accepted,
// each documented in doc.go.
func TestCollisions(t *testing.T) {
	v := environment(t, v4(testKey()))
	m := p4()
	m.canonicalQuery = "a=x%20y&b=&c=1&c=2"
	for _, query := range []string{"a=x%20y&b=&c=1&c=2", "a=x+y&b&c=2&c=1", "c=1&&b=&c=2&a=x%20y&", "%61=x%20y&b=&c=1&c=%32"} {
		m.target = "/v1/items?" + query
		expect(t, v, m.raw(), accepted)
	}
	for _, query := range []string{"a=x%2By&b=&c=1&c=2", "a=x%20y&c=1&c=2", "a=x%20y&b=&c=1", "A=x%20y&b=&c=1&c=2", "a=x%20y&b==&c=1&c=2"} {
		m.target = "/v1/items?" + query
		expect(t, v, m.raw(), mismatch) // T052, T047
	}
	for _, query := range []string{"a=x%20y&b=&c=1;c=2", "a=%zz", "=1", "a=%"} {
		m.target = "/v1/items?" + query
		expect(t, v, m.raw(), ambiguous) // T050, T051
	}
	m = p4()
	m.canonicalURI = "/a%3Ab%C3%A4"
	for _, path := range []string{"/a:b%C3%A4", "/a%3ab%c3%a4", "/a:b\u00e4"} {
		m.target = path
		expect(t, environment(t, v4s3(testKey())), m.raw(), accepted)
	}
}
