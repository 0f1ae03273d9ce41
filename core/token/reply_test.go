package token

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestParseReplyErrors: the error of an answer says what is wrong with it, also where
// readers of JSON would go on.
func TestParseReplyErrors(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	const good = `{"token": {"user": {"id": "u", "domain": {"id": "d"}}, "roles": [{"name": "r"}], "expires_at": "2026-01-16T12:00:00Z"}}`
	for _, tt := range []struct {
		from, to string
		want     error
	}{
		{"", "", nil},
		{good, `[]`, errJSON},
		{good, `x`, errJSON},
		{good, `{}`, errMember},
		{good, `{"token": []}`, errMember},
		{`"id": "u"`, `"id": "u", "id": "v"`, errDuplicate},
		{`"name": "r"`, `"name": "r", "name": "s"`, errDuplicate},
		{`"roles": [`, `"x": [[[{"a": 1, "a": 2}]]], "roles": [`, errDuplicate},
		{`"roles": [`, `"x": 1e999, "roles": [`, nil}, // no reader needs its value
		{`"2026-01-16T12:00:00Z"`, `""`, errExpiry},
		{`"2026-01-16T12:00:00Z"`, `"2026-01-15T12:00:00Z"`, errExpired},
	} {
		body := strings.Replace(good, tt.from, tt.to, 1)
		if _, err := parseReply(http.Header{"Content-Type": {"application/json"}}, []byte(body), now); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", body, err, tt.want)
		}
	}
}

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
