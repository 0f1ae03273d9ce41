package core_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// TestRecordsName_T225: the record of a refusal has what its hint speaks of, so that
// nobody needs the request to know what to change.
func TestRecordsName_T225(t *testing.T) {
	signed := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", signedText(text)) }
	}
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, tt := range []struct {
		name   string
		config func(*core.Config)
		change []func(*http.Request)
		code   core.Code
		want   map[string]any
	}{
		{"unsigned protocol headers", nil, []func(*http.Request){set("X-Sdk-B", "1"), set("X-Sdk-A", "1")}, core.CodeHeaderNotSigned, map[string]any{"header": "X-Sdk-A, X-Sdk-B"}},
		{"a required header", func(c *core.Config) { c.RequireSigned = []string{"X-Role"} }, []func(*http.Request){set("X-Role", "1")}, core.CodeHeaderNotSigned, map[string]any{"header": "x-role"}},
		{"an absent header", nil, []func(*http.Request){signed("GET\n/v1/items/\n\nhost:api.example.com\nx-role:1\nx-sdk-date:20260115T120000Z\n\nhost;x-role;x-sdk-date\n" + noBody)}, core.CodeHeaderNotSigned, map[string]any{"header": "x-role"}},
		{"a header twice", nil, []func(*http.Request){set("X-Sdk-Date", "20260115T120000Z", "20260115T120000Z")}, core.CodeRequestAmbiguous, map[string]any{"header": "X-Sdk-Date"}},
		{"an underscore", nil, []func(*http.Request){set("X_sdk_date", "1")}, core.CodeRequestAmbiguous, map[string]any{"header": "X_sdk_date"}},
		{"a name that is not printable", nil, []func(*http.Request){set("X-Sdk-\u00fc", "1")}, core.CodeHeaderNotSigned, map[string]any{"header": `X-Sdk-\u00fc`}},
		{"Connection", nil, []func(*http.Request){set("Connection", "close, X-Sdk-Date")}, core.CodeRequestAmbiguous, map[string]any{"header": "X-Sdk-Date"}},
		{"another key", func(c *core.Config) { c.APIs = []core.API{{Match: "/v1/", Key: "k2"}} }, nil, core.CodeKeyNotBound, map[string]any{"key": "k1", "api_key": "k2"}},
		{"an announced size", func(c *core.Config) { c.MaxBody = 5 }, []func(*http.Request){func(r *http.Request) { r.ContentLength = 6 }}, core.CodeBodyTooLarge, map[string]any{"size": 6.0, "limit": 5.0}},
		{"a size that is not announced", func(c *core.Config) { c.MaxBody = 5 }, []func(*http.Request){func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader("123456")) }}, core.CodeBodyTooLarge, map[string]any{"limit": 5.0}},
		{"an old request", func(c *core.Config) {
			c.Now = func() time.Time { return instant.Add(20*time.Minute + 3*time.Second + 4*time.Millisecond) }
		}, nil, core.CodeSignatureExpired, map[string]any{"skew": "20m3s"}},
		{"a request of the future", func(c *core.Config) { c.Now = func() time.Time { return instant.Add(-time.Hour) } }, nil, core.CodeSignatureNotYetValid, map[string]any{"skew": "-1h0m0s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			v := verifier(t, func(c *core.Config) {
				c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
				if tt.config != nil {
					tt.config(c)
				}
			})
			r := request(t, p1)
			for _, change := range tt.change {
				change(r)
			}
			_, err := v.Verify(r)
			core.Release(r)
			wantCode(t, err, tt.code)
			var got map[string]any
			if err := json.Unmarshal(log.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			for name, want := range tt.want {
				if got[name] != want {
					t.Errorf("%s: got %v, want %v", name, got[name], want)
				}
			}
			for _, name := range []string{"header", "api_key", "size", "limit"} {
				if _, wanted := tt.want[name]; !wanted && got[name] != nil {
					t.Errorf("%s: got %v, want none", name, got[name])
				}
			}
			if got["hint"] != core.HintOf(err) || !strings.HasSuffix(got["doc"].(string), "/docs/troubleshooting.md#"+string(tt.code)) {
				t.Errorf("got the hint %v, and %v", got["hint"], got["doc"])
			}
			if header, _ := got["header"].(string); header != "" && !strings.HasSuffix(got["error"].(string), ": "+header) {
				t.Errorf("the error does not name the header: %v", got["error"])
			}
		})
	}
}

// TestHints: docs/troubleshooting.md has a section for each code, with its hint.
func TestHints(t *testing.T) {
	sections := troubleshooting(t)
	for _, code := range core.Codes {
		plain := sections[code]
		if code.Hint() == "" || len(plain) == 0 || !strings.HasPrefix(plain[0], "Usual cause: ") || !slices.Contains(plain, code.Hint()) {
			t.Errorf("docs/troubleshooting.md has no section %s with a usual cause and the paragraph %q", code, code.Hint())
		}
	}
	if core.Code("other").Hint() != "" {
		t.Error("a text that is no code has a hint")
	}
}

// troubleshooting returns the paragraphs of the sections of docs/troubleshooting.md, each in
// one line.
func troubleshooting(t *testing.T) map[core.Code][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[core.Code][]string{}
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		for p := range strings.SplitSeq(strings.TrimSpace(body), "\n\n") {
			sections[core.Code(title)] = append(sections[core.Code(title)], strings.Join(strings.Fields(p), " "))
		}
	}
	return sections
}

// TestRealm: no answer tells the name of an environment.
func TestRealm(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.Environment = "SECRET-PROJECT" })
	for _, change := range []string{"items", "Authorization"} {
		_, err := v.Admit(nil, request(t, strings.Replace(p1, change, "X-Other", 1)), core.BodyForHandler)
		w := httptest.NewRecorder()
		core.WriteProblem(w, nil, err)
		if text := w.Body.String() + w.Header().Get("WWW-Authenticate"); w.Code != http.StatusUnauthorized || strings.Contains(text, "SECRET") {
			t.Errorf("got %d %s", w.Code, text)
		}
	}
}
