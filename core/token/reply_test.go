package token

import (
	"net/http"
	"testing"
	"time"
)

// FuzzParseReply: nothing panics, and what is taken has a user and an end in
// the future that is not absurd.
func FuzzParseReply(f *testing.F) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for _, seed := range []string{
		`{"token": {"user": {"id": "u", "name": "n", "domain": {"id": "d"}}, "project": {"id": "p"}, "roles": [{"name": "r"}], "expires_at": "2026-01-16T12:00:00.000000Z"}}`,
		`{"token": {"user": {"id": "u"}, "expires_at": "2026-01-16T12:00:00+01:00"}}`,
		`{"token": {"token": {}, "token": []}}`, `[[[[[[[[[[[[[[[[[[`, `{"token": {"expires_at": 1}}`, `{"\u0061": 1, "a": 2}`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := parseReply(http.Header{"Content-Type": {"application/json"}}, body, now)
		if err == nil && (len(s.attributes[UserID]) != 1 || !s.expires.After(now) || s.expires.Sub(now) > maxLifetime) {
			t.Errorf("%s: taken as %+v", body, s)
		}
	})
}
