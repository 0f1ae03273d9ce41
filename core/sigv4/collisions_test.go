package sigv4_test

import (
	"testing"
)

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
