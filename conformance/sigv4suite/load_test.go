package sigv4suite

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// vector is one line of the file.
type vector struct {
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Scheme      string    `json:"scheme"`
	Expect      string    `json:"expect"`
	Reason      string    `json:"reason"`
	AdapterNote string    `json:"adapter_note"`
	Time        time.Time `json:"time"`
	Key         struct {
		ID           string `json:"id"`
		Secret       string `json:"secret"`
		Region       string `json:"region"`
		Service      string `json:"service"`
		SessionToken string `json:"session_token"`
	} `json:"key"`
	Raw      []byte `json:"raw"`
	WireHost string `json:"wire_host"`
	// Unsure is true if a strict server may refuse the request of the suite.
	Unsure bool `json:"unsure"`
	Config struct {
		// AWSURI is double (normalized and encoded twice) or double-raw (not normalized).
		// For the paths of the suite, the latter is the rule of S3.
		AWSURI string `json:"aws_uri"`
	} `json:"config"`
}

// paths returns the path rule of the case.
func (v *vector) paths() (sigv4.Paths, error) {
	switch v.Config.AWSURI {
	case "double":
		return sigv4.Normalized, nil
	case "double-raw":
		return sigv4.S3, nil
	}
	return 0, fmt.Errorf("%s: unknown aws_uri %q", v.ID, v.Config.AWSURI)
}

// name returns the id without the part that all ids have.
func (v *vector) name() string { return strings.Replace(v.ID, "/suite/", "/", 1) }

// policy returns a policy with the case's key, path rule and instant.
func (v *vector) policy() (core.Config, error) {
	paths, err := v.paths()
	if err != nil {
		return core.Config{}, err
	}
	keys := core.Keys(core.Key{
		Name: "suite", ID: v.Key.ID, Secret: core.NewSecret(v.Key.Secret),
		Region: v.Key.Region, Service: v.Key.Service, SessionToken: core.NewSecret(v.Key.SessionToken),
	})
	c := core.Config{
		Environment: "suite", Default: "suite", AllowPresigned: true,
		Now: func() time.Time { return v.Time },
	}
	switch v.Scheme {
	case "aws-sigv4-header", "aws-sigv4-query":
		c.Schemes = []core.Scheme{sigv4.New(sigv4.Config{Keys: keys, Paths: paths})}
	case "aws-sigv4a-header", "aws-sigv4a-query":
		c.Schemes = []core.Scheme{sigv4.NewA(sigv4.ConfigA{Keys: keys, Paths: paths})}
	default:
		return c, fmt.Errorf("%s: unknown scheme %q", v.ID, v.Scheme)
	}
	return c, nil
}

// read reads vectors, one per line. It returns an error if there is no vector, for an
// unknown field, and for a vector without id, request, or the expectation that it is
// accepted.
func read(from io.Reader) ([]vector, error) {
	var vectors []vector
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		var v vector
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if v.ID == "" || len(v.Raw) == 0 || v.Time.IsZero() || v.Expect != "accept" {
			return nil, fmt.Errorf("line %d: no id, request, time or expectation", n)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(vectors) == 0 {
		return nil, errors.New("no vectors")
	}
	return vectors, nil
}

// load reads the suite. If it is missing, load skips the test; with GATEWAYAUTH_E2E=1 it
// fails the test.
func load(t *testing.T) []vector {
	t.Helper()
	folder := os.Getenv("GATEWAYAUTH_VECTORS")
	if folder == "" {
		const text = "skipped: set GATEWAYAUTH_VECTORS to a folder with aws-sigv4-suite.ndjson, " +
			"made from tests/aws-signing-test-suite of github.com/awslabs/aws-c-auth (one signed request per line; fields in load_test.go)"
		if os.Getenv("GATEWAYAUTH_E2E") == "1" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	file, err := os.Open(filepath.Join(folder, "aws-sigv4-suite.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

// TestRead: files without vectors, or with missing or unknown fields, are errors.
func TestRead(t *testing.T) {
	const good = `{"id":"a","raw":"R0VU","time":"2015-08-30T12:36:30Z","expect":"accept"}`
	for name, text := range map[string]string{
		"empty":         "",
		"blank lines":   "\n \n",
		"unknown field": strings.Replace(good, `"id"`, `"idd"`, 1),
		"unknown inner": strings.Replace(good, `}`, `,"key":{"sekret":"x"}}`, 1),
		"no request":    strings.Replace(good, "R0VU", "", 1),
		"no time":       strings.Replace(good, `"time":"2015-08-30T12:36:30Z",`, "", 1),
		"other verdict": strings.Replace(good, "accept", "refuse", 1),
		"not base64":    strings.Replace(good, "R0VU", "R0V", 1),
		"cut off":       good[:20],
	} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if v, err := read(strings.NewReader(good + "\n\n" + good)); err != nil || len(v) != 2 || string(v[0].Raw) != "GET" {
		t.Errorf("got %v, %v", v, err)
	}
}
