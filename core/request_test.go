package core_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// get is a request of the usual size: a path of 40 bytes, three parameters, and
// three signed headers beside host and date.
func get(t testing.TB, sign func(r *http.Request) error) *http.Request {
	r := httptest.NewRequest("GET", "/v1/projects/0123456789abcdef/orders/42?limit=100&marker=abc&status=open", nil)
	r.Host, r.Body = "api.example.com", http.NoBody
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Project-Id": "0123456789abcdef",
		"X-Request-Id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "User-Agent": "test", "Accept": "application/json"} {
		r.Header.Set(name, value)
	}
	if err := sign(r); err != nil {
		t.Fatal(err)
	}
	return r
}

var further = []string{"content-type", "x-project-id", "x-request-id"}

const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// replaceIn changes the credential of r.
func replaceIn(r *http.Request, from, to string) {
	r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], from, to, 1)
}
