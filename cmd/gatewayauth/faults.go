package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// faults are what goes wrong on purpose, after a request was signed. The zero
// faults are none.
type faults struct {
	skew          time.Duration
	drop          []string
	host          string
	tamper, twice bool
	out           *log.Logger
	base          http.RoundTripper
}

func parseFaults(texts []string, out *log.Logger) (*faults, error) {
	f := &faults{out: out, base: &http.Transport{Proxy: nil, DisableCompression: true}}
	for _, text := range texts {
		name, value, _ := strings.Cut(text, "=")
		var err error
		switch name {
		case "skew":
			if f.skew, err = time.ParseDuration(value); err != nil || f.skew == 0 {
				return nil, fmt.Errorf("%q is no duration such as skew=20m", text)
			}
		case "drop":
			f.drop = append(f.drop, value)
		case "host":
			f.host = value
		case "tamper-body":
			f.tamper = true
		case "duplicate":
			f.twice = true
		default:
			return nil, fmt.Errorf("%q is none of skew=DURATION, drop=HEADER, host=NAME, tamper-body, duplicate", text)
		}
		if needs := name == "drop" || name == "host"; needs == (value == "") && name != "skew" {
			return nil, fmt.Errorf("%q: drop and host take a value, such as drop=X-Sdk-Date; the others take none", text)
		}
	}
	return f, nil
}

// now is the clock that is signed with.
func (f *faults) now() time.Time { return time.Now().Add(-f.skew) }

// RoundTrip sends a signed request, with the faults, and says so.
func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.skew == 0 && len(f.drop) == 0 && f.host == "" && !f.tamper && !f.twice {
		return f.base.RoundTrip(r)
	}
	out := r.Clone(r.Context())
	var done []string
	if f.skew != 0 {
		done = append(done, "dated "+f.now().UTC().Format(time.RFC3339))
	}
	for _, name := range f.drop {
		if _, there := out.Header[http.CanonicalHeaderKey(name)]; there {
			out.Header.Del(name)
			done = append(done, "without "+name)
		}
	}
	if f.host != "" {
		out.Host = f.host
		done = append(done, "for the host "+f.host)
	}
	body, err := f.body(r)
	if err != nil {
		return nil, err
	}
	if f.tamper {
		body = tampered(body)
		done = append(done, "with another body")
	}
	fill := func(r *http.Request) {
		r.Body, r.GetBody, r.ContentLength, r.TransferEncoding = http.NoBody, nil, int64(len(body)), nil
		if len(body) > 0 {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
	}
	fill(out)
	answer, err := f.base.RoundTrip(out)
	if f.twice && err == nil {
		again := out.Clone(r.Context())
		fill(again)
		text := "no answer"
		if second, err := f.base.RoundTrip(again); err == nil {
			io.Copy(io.Discard, io.LimitReader(second.Body, 1<<20))
			second.Body.Close()
			text = second.Status
		}
		done = append(done, fmt.Sprintf("twice, answered with %s and %s", answer.Status, text))
	}
	f.out.Printf("fault: %s %s sent %s", printable(r.Method), printable(r.URL.EscapedPath()), printable(strings.Join(done, ", ")))
	return answer, err
}

// body reads the body, which is sent anew.
func (f *faults) body(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, capture.MaxSize+1))
	if err == nil && len(body) > capture.MaxSize {
		err = errors.New("the body is too large for a fault")
	}
	return body, err
}

// tampered changes one byte, or adds one where there is none.
func tampered(body []byte) []byte {
	if len(body) == 0 {
		return []byte("x")
	}
	changed := bytes.Clone(body)
	changed[len(changed)-1] ^= 1
	return changed
}
