package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// faulty is a RoundTripper that makes the faults of a signed request, sends it, and
// logs them.
type faulty struct {
	out  *log.Logger
	base http.RoundTripper
}

func (s *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	x := exchangeOf(r.Context())
	if !x.faulty() {
		return s.base.RoundTrip(r)
	}
	var done []string
	for _, f := range x.faults {
		switch {
		case f.skew == 0:
		case x.signed == "":
			s.print(r, ": skew was not applied, since the request is not signed")
		case x.at.IsZero():
			s.print(r, ": skew was not applied, since a key of this type signs no date")
		default:
			done = append(done, "dated "+x.at.UTC().Format(time.RFC3339))
		}
		switch {
		case !f.wrongSecret:
		case x.signed == "":
			s.print(r, ": wrong-secret was not applied, since the request is not signed")
		default:
			done = append(done, "signed with another secret")
		}
	}
	out := r.Clone(r.Context())
	body := &sentBody{from: r}
	twice := false
	for _, f := range x.faults {
		for _, change := range slices.Concat(f.target, f.changes) {
			if text := change(out); text != "" {
				done = append(done, text)
			} else {
				s.print(r, ": a fault was not applied, since the request does not have what it changes")
			}
		}
		if f.body != nil {
			if err := body.change(f.body); err != nil {
				return nil, err
			}
			done = append(done, f.bodyDone)
		}
		twice = twice || f.twice
	}
	if twice {
		if err := body.change(func(b []byte) []byte { return b }); err != nil {
			return nil, err
		}
	}
	body.fill(out)
	answer, err := s.base.RoundTrip(out)
	if twice && err == nil {
		done = append(done, s.again(out, body, answer.Status))
	}
	if len(done) > 0 {
		s.print(r, " sent "+strings.Join(done, ", "))
	}
	return answer, err
}

// print prints a line about the faults of a request.
func (s *faulty) print(r *http.Request, text string) {
	s.out.Printf("fault: %s %s%s", printable(r.Method), printable(r.URL.EscapedPath()), printable(text))
}

// again sends a request a second time, and returns both statuses for the log.
func (s *faulty) again(r *http.Request, body *sentBody, first string) string {
	second := "no response"
	again := r.Clone(r.Context())
	body.fill(again)
	if answer, err := s.base.RoundTrip(again); err == nil {
		io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
		answer.Body.Close()
		second = answer.Status
	}
	return fmt.Sprintf("twice, answered with %s and %s", first, second)
}

// sentBody is the body of a request. It is read into memory only if a fault needs it.
type sentBody struct {
	from  *http.Request
	whole bool
	bytes []byte
}

func (b *sentBody) change(to func([]byte) []byte) error {
	if !b.whole && b.from.Body != nil {
		defer b.from.Body.Close()
		read, err := io.ReadAll(io.LimitReader(b.from.Body, capture.MaxSize+1))
		if err == nil && len(read) > capture.MaxSize {
			err = errors.New("the body is too large to make a fault in it")
		}
		if err != nil {
			return err
		}
		b.bytes = read
	}
	b.whole, b.bytes = true, to(b.bytes)
	return nil
}

func (b *sentBody) fill(r *http.Request) {
	if !b.whole {
		return
	}
	r.Body, r.GetBody, r.ContentLength, r.TransferEncoding = http.NoBody, nil, int64(len(b.bytes)), nil
	if len(b.bytes) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(b.bytes))
	}
}

// tampered returns the body with one byte changed, or with one byte if it is empty.
func tampered(body []byte) []byte {
	if len(body) == 0 {
		return []byte("x")
	}
	changed := bytes.Clone(body)
	changed[len(changed)-1] ^= 1
	return changed
}
