package token_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
)

// TestValidate: every problem is named with its key and field, none with the
// password, and core takes no scheme that has one. T109: http:// is one.
func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*token.Config, *token.Key)
		want   string // "": nothing
	}{
		{"right", func(*token.Config, *token.Key) {}, ""},
		{"T109 http", func(_ *token.Config, k *token.Key) { k.IAMURL = "http://iam.example.com" }, `key "token_key": IAMURL: http, and not https`},
		{"http, explicit", func(_ *token.Config, k *token.Key) { k.IAMURL, k.InsecureHTTP = "http://iam.example.com", true }, ""},
		{"no URL", func(_ *token.Config, k *token.Key) { k.IAMURL = "" }, "IAMURL: not an https URL"},
		{"ftp", func(_ *token.Config, k *token.Key) { k.IAMURL, k.InsecureHTTP = "ftp://iam.example.com", true }, "IAMURL: not an https URL"},
		{"no scheme", func(_ *token.Config, k *token.Key) { k.IAMURL = "iam.example.com" }, "IAMURL: not an https URL"},
		{"no host", func(_ *token.Config, k *token.Key) { k.IAMURL = "https:///v3" }, "IAMURL: not of a host"},
		{"password in it", func(_ *token.Config, k *token.Key) { k.IAMURL = "https://u:" + password + "@iam.example.com" }, "IAMURL: not of a host"},
		{"password in it, malformed", func(_ *token.Config, k *token.Key) { k.IAMURL = "https://u:" + password + "@iam.example.com:x" }, "IAMURL: not a URL"},
		{"query", func(_ *token.Config, k *token.Key) { k.IAMURL += "?x=1" }, "IAMURL: not of a host"},
		{"fragment", func(_ *token.Config, k *token.Key) { k.IAMURL += "#x" }, "IAMURL: not of a host"},
		{"empty query", func(_ *token.Config, k *token.Key) { k.IAMURL += "?" }, "IAMURL: not of a host"},
		{"a user alone", func(_ *token.Config, k *token.Key) { k.IAMURL = "https://u@iam.example.com" }, "IAMURL: not of a host"},
		{"a port alone", func(_ *token.Config, k *token.Key) { k.IAMURL = "https://:5000" }, "IAMURL: not of a host"},
		{"blank user", func(_ *token.Config, k *token.Key) { k.User = " \t" }, `key "token_key": User: blank`},
		{"blank password", func(_ *token.Config, k *token.Key) { k.Password = core.NewSecret("\u200b") }, `key "token_key": Password: blank`},
		{"no user", func(_ *token.Config, k *token.Key) { k.User = "" }, `key "token_key": User: empty`},
		{"no password", func(_ *token.Config, k *token.Key) { k.Password = core.Secret{} }, "Password: empty"},
		{"no domain", func(_ *token.Config, k *token.Key) { k.Domain = "" }, "Domain: empty"},
		{"no project", func(_ *token.Config, k *token.Key) { k.Project = "" }, "Project: empty"},
		{"Timeout", func(c *token.Config, _ *token.Key) { c.Timeout = time.Hour }, "Timeout: 1h0m0s is not between 0 and 1m0s"},
		{"CacheFor", func(c *token.Config, _ *token.Key) { c.CacheFor = 15*time.Minute + 1 }, "CacheFor: 15m0.000000001s is not between 0 and 15m0s"},
		{"CacheFor negative", func(c *token.Config, _ *token.Key) { c.CacheFor = -1 }, "CacheFor: "},
		{"MaxEntries", func(c *token.Config, _ *token.Key) { c.MaxEntries = -1 }, "MaxEntries: "},
		{"the largest of all", func(c *token.Config, _ *token.Key) {
			c.Timeout, c.CacheFor, c.MaxEntries, c.CallsPerSecond = time.Minute, 15*time.Minute, 10_000_000, 100_000
		}, ""},
		{"the smallest of all", func(c *token.Config, _ *token.Key) {
			c.Timeout, c.CacheFor, c.MaxEntries, c.CallsPerSecond = 1, 1, 1, 1
		}, ""},
		{"Timeout negative", func(c *token.Config, _ *token.Key) { c.Timeout = -1 }, "Timeout: "},
		{"Timeout too long", func(c *token.Config, _ *token.Key) { c.Timeout = time.Minute + 1 }, "Timeout: "},
		{"MaxEntries too many", func(c *token.Config, _ *token.Key) { c.MaxEntries = 10_000_001 }, "MaxEntries: 10000001 is not between 0 and 10000000"},
		{"CallsPerSecond too many", func(c *token.Config, _ *token.Key) { c.CallsPerSecond = 100_001 }, "CallsPerSecond: 100001 is not between 0 and 100000"},
		{"CallsPerSecond", func(c *token.Config, _ *token.Key) { c.CallsPerSecond = -1 }, "CallsPerSecond: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := token.Config{Keys: []token.Key{key("https://iam.example.com")}}
			tt.change(&c, &c.Keys[0])
			s := token.New(c)
			defer s.Close()
			if (s.Keys() == nil) != (tt.want != "") {
				t.Errorf("got the keys %v", s.Keys())
			}
			_, taken := core.New(core.Config{Environment: "prod", Schemes: []core.Scheme{s}})
			err := s.Validate()
			switch {
			case tt.want == "" && (err != nil || taken != nil):
				t.Errorf("got %v, %v", err, taken)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want it to say %q", err, tt.want)
			case tt.want != "" && (taken == nil || !strings.Contains(taken.Error(), tt.want)):
				t.Errorf("core says %v", taken)
			case err != nil && strings.Contains(err.Error(), password):
				t.Errorf("it tells the password: %v", err)
			}
		})
	}
	if got := strings.Count(token.New(token.Config{Keys: make([]token.Key, 2)}).Validate().Error(), "\n"); got != 9 {
		t.Errorf("%d of 10 problems are reported at once", got+1)
	}
}

// TestURL: all spellings of the service's URL lead to one.
func TestURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://iam.example.com":                "https://iam.example.com/v3/auth/tokens?nocatalog",
		"https://iam.example.com/":               "https://iam.example.com/v3/auth/tokens?nocatalog",
		"https://iam.example.com/v3":             "https://iam.example.com/v3/auth/tokens?nocatalog",
		"https://iam.example.com/v3/":            "https://iam.example.com/v3/auth/tokens?nocatalog",
		"https://iam.example.com:5000/identity/": "https://iam.example.com:5000/identity/v3/auth/tokens?nocatalog",
		"https://[::1]:5000/identity/v3":         "https://[::1]:5000/identity/v3/auth/tokens?nocatalog",
	} {
		got := ""
		s := token.New(token.Config{Keys: []token.Key{key(url)}, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return nil, http.ErrServerClosed
		})})
		wantCode(t, url, verify(verifier(t, s), "x"), core.CodeUnavailable)
		s.Close()
		if got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}
