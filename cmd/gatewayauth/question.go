package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A question is a saved request to explain, with the user's hints.
type question struct {
	env, at, format                  string
	entry                            int
	hosts, prefixes, headers, others []string
	canonical                        string
	form                             bool // asked on the page, not with the command
	open                             func(string) (io.ReadCloser, error)
}

// The verdicts of an answer.
const (
	accepted = "accepted"
	refused  = "refused"
)

// An answer is the output of explain.
type answer struct {
	Verdict string `json:"verdict"`
	// Explained is true if the request is refused and the reason is known.
	Explained bool   `json:"explained"`
	Format    string `json:"format"`
	// At is the verifier's clock.
	At    time.Time `json:"at,omitzero"`
	Notes []string  `json:"notes,omitempty"`
	// Meaning says what the verdict means, if no cause was found.
	Meaning     string               `json:"meaning,omitempty"`
	Advice      []string             `json:"advice,omitempty"`
	Explanation *explain.Explanation `json:"explanation,omitempty"`
	// Server is set instead of Explanation if the server refuses the request before
	// the verifier sees it.
	Server *capture.Refused `json:"server,omitempty"`
	// Event is set instead of Explanation for a record of the log.
	Event *eventAnswer `json:"event,omitempty"`
	// Recorded is set for a request that the verifier kept in a file.
	Recorded *capture.Recorded `json:"recorded,omitempty"`
	// fromRecord is true if only what Recorded says is known to be the reason: the verdict
	// depended on more than the request, or on a part that the file does not hold.
	fromRecord bool
	// request is nil for a record of the log, and if the server refuses the request.
	request *http.Request
}

// verdictSuffices are the codes that need no further explanation.
var verdictSuffices = []core.Code{core.CodeCredentialMissing, core.CodeCredentialMalformed, core.CodeSchemeNotAccepted,
	core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeHeaderNotSigned, core.CodePayloadNotSigned,
	core.CodePayloadUnsupported, core.CodeKeyNotBound, core.CodeHostNotOurs, core.CodeRequestAmbiguous, core.CodeBodyTooLarge, core.CodeThrottled, core.CodeReplayed}

// commonPrefixes are tried if no cause was found and the user named no prefix.
var commonPrefixes = []string{"/v1", "/v2", "/v3", "/api", "/api/v1", "/api/v2"}

// ask explains a saved request. It changes its own copy of the question only.
func (q question) ask(ctx context.Context, environments *environmentsFile, data []byte) (*answer, error) {
	c, err := capture.Parse(data, capture.Options{Format: q.format, Entry: q.entry, Open: q.open})
	if server, ok := errors.AsType[*capture.Refused](err); ok {
		return &answer{Verdict: refused, Explained: true, Format: server.Format, Notes: each(server.Notes, q.words), Server: server}, nil
	}
	if err != nil {
		return nil, err
	}
	if q.env, err = q.environment(environments.names, c); err != nil {
		return nil, err
	}
	file, err := environments.load(q.env)
	if err != nil {
		return nil, err
	}
	if absent := file.Missing(q.env); len(absent) > 0 {
		return nil, fmt.Errorf("the secrets of the environment %s are missing: %s; run gatewayauth where they are available", q.env, strings.Join(absent, ", "))
	}
	a := &answer{Format: c.Format, Notes: each(c.Notes, q.words), Verdict: refused, request: c.Request}
	if c.Event != nil {
		return a, q.askEvent(a, c.Event, file)
	}
	var missing []string
	if c.Recorded != nil {
		if missing, err = q.fillIn(c); err != nil {
			return nil, err
		}
	}
	captured := q.at == "captured" || q.at == "" && c.Recorded != nil
	if a.At, err = q.clock(c, captured); err != nil {
		return nil, err
	}
	x, err := q.explain(file, c.Fresh(ctx), a.At)
	if err == nil && captured && c.At.IsZero() {
		at, note := x.SignedAt, "the verifier's clock is set to the signed date, so clock differences are not checked"
		if at.IsZero() {
			at, note = dateIn(c.Request)
		}
		a.Notes = append(a.Notes, note)
		if !at.IsZero() {
			a.At = at
			x, err = q.explain(file, c.Fresh(ctx), a.At)
		}
	}
	if err != nil {
		return nil, err
	}
	if x.Code == core.CodeSignatureMismatch && len(x.Causes) == 0 && len(q.prefixes) == 0 {
		wider := q
		wider.prefixes = commonPrefixes
		if second, err := wider.explain(file, c.Fresh(ctx), a.At); err == nil && len(second.Causes) > 0 {
			x = second
		}
	}
	a.Explanation = x
	if c.Recorded != nil {
		q.asRecorded(a, c, missing)
	}
	if x.Accepted() {
		a.Verdict = accepted
	}
	unsaved := c.Broken != nil && len(c.Body) == 0 && x.Code == core.CodeBodyMismatch
	a.Explained = !x.Accepted() && (len(x.Causes) > 0 || unsaved || slices.Contains(verdictSuffices, x.Code))
	if !x.Accepted() && len(x.Causes) == 0 {
		if x.Code != core.CodeSignatureMismatch { // its explanation includes the meaning
			a.Meaning = meanings[x.Code]
		}
		if slices.Contains([]core.Code{core.CodeSignatureMismatch, core.CodeKeyUnknown, core.CodeSchemeNotAccepted}, x.Code) {
			a.Notes = append(a.Notes, q.untried(file)...)
		}
	}
	q.advise(a, c)
	if x.Code != core.CodeSignatureMismatch && x.Code != core.CodeBodyMismatch {
		return a, nil
	}
	if n := q.unframed(ctx, file, c, a.At); n > 0 {
		a.Explained = true
		a.Advice = []string{fmt.Sprintf("the request is accepted if the %s its body: add the header Content-Length: %d to the saved request, and remove Transfer-Encoding", summary.Counted(n, "byte after the header is", "bytes after the header are"), n)}
	}
	return a, nil
}

// clock returns the date of the verifier's clock. If the request is to be explained at its
// own date and the input does not state that, it is the current date.
func (q *question) clock(c *capture.Captured, captured bool) (time.Time, error) {
	if captured && !c.At.IsZero() {
		return c.At, nil
	}
	at := q.at
	if captured {
		at = ""
	}
	now, err := clock(at)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", q.option("at"), err)
	}
	return now(), nil
}

// unframed returns how many of the bytes after the header make the request accepted if
// they are taken as its body, or 0. It helps if the saved request has lost its
// Content-Length or its chunk sizes. A line break at the end may be an addition of
// whoever saved the request.
func (q *question) unframed(ctx context.Context, file *config.File, c *capture.Captured, at time.Time) int {
	for _, body := range [][]byte{c.Unframed, bytes.TrimRight(c.Unframed, "\r\n")} {
		if len(body) == 0 {
			continue
		}
		if x, err := q.explain(file, c.WithBody(ctx, body), at); err == nil && x.Accepted() {
			return len(body)
		}
	}
	return 0
}

// untried returns notes on the environments whose keys could not be tried.
func (q *question) untried(file *config.File) (notes []string) {
	for _, name := range file.Environments() {
		if absent := file.Missing(name); len(absent) > 0 {
			notes = append(notes, fmt.Sprintf("not all keys of the environment %s were tried: its secrets are missing: %s", name, strings.Join(absent, ", ")))
		}
	}
	return notes
}

func (q *question) explain(file *config.File, r *http.Request, at time.Time) (*explain.Explanation, error) {
	now := func() time.Time { return at }
	policy, err := policyOf(file, q.env, now)
	if err != nil {
		return nil, err
	}
	hints := explain.Hints{Hosts: each(q.hosts, namedHost), Prefixes: each(q.prefixes, namedPrefix), CanonicalRequest: q.canonical, Headers: http.Header{},
		Schemes: otherSchemes(), Environments: map[string]core.Config{}, Setting: config.Setting}
	for _, h := range q.headers {
		name, value, err := q.header(h)
		if err != nil {
			return nil, err
		}
		hints.Headers.Add(name, value)
	}
	for _, name := range file.Environments() {
		if name == q.env || len(q.others) > 0 && !slices.Contains(q.others, name) {
			continue
		}
		if hints.Environments[name], err = policyOf(file, name, now); err != nil {
			return nil, err
		}
	}
	for _, name := range q.others {
		if !slices.Contains(file.Environments(), name) {
			return nil, fmt.Errorf("--other-env: there is no environment %q", name)
		}
	}
	return explain.Explain(r, policy, hints)
}

// header returns the name and the value of a header that the user gives.
func (q *question) header(text string) (name, value string, err error) {
	name, value, found := strings.Cut(text, ":")
	if !found {
		return "", "", fmt.Errorf("%s: %q is not a header such as 'X-Tenant: blue'", q.option("header"), text)
	}
	return strings.TrimSpace(name), strings.TrimSpace(value), nil
}

// policyOf returns the policy of an environment, for a clock, that logs nothing and has
// no replay store.
func policyOf(file *config.File, env string, now func() time.Time) (core.Config, error) {
	c, err := file.Config(env, config.WithNow(now), config.WithLogger(slog.New(slog.DiscardHandler)))
	c.Replay = core.Replay{}
	return c, errors.Join(err, file.Close())
}

func each(texts []string, f func(string) string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = f(text)
	}
	return all
}

// namedHost returns the host in text, which may be a host, a URL or a Host header.
func namedHost(text string) string {
	if name, value, found := strings.Cut(text, ":"); found && strings.EqualFold(strings.TrimSpace(name), "host") {
		text = value
	}
	if _, rest, found := strings.Cut(text, "://"); found {
		text = rest
	}
	host, _, _ := strings.Cut(strings.TrimSpace(text), "/")
	return host
}

// namedPrefix returns the path in text, which may be a path or a URL.
func namedPrefix(text string) string {
	if _, rest, found := strings.Cut(text, "://"); found {
		_, path, _ := strings.Cut(rest, "/")
		text = "/" + path
	}
	return strings.TrimSuffix(text, "/")
}

// otherSchemes returns every scheme that signs requests, to try with the keys of the
// environment.
func otherSchemes() []core.Scheme {
	none := apig.Config{Keys: core.Keys()}
	return []core.Scheme{apig.New(none), apig.NewScoped(none), apig.NewV11(none), apig.NewECDSA(none), sm.New(none), sm.NewSM2(none),
		sigv4.New(sigv4.Config{Keys: core.Keys()}), sigv4.New(sigv4.Config{Keys: core.Keys(), Paths: sigv4.S3}),
		sigv4.NewA(sigv4.ConfigA{Keys: core.Keys()})}
}
