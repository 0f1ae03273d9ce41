package coretest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// verdicts is a reporter that records the errors.
type verdicts struct {
	logBuffer
}

// Helper does nothing.
func (v *verdicts) Helper() {}

// Errorf records an error as a line.
func (v *verdicts) Errorf(format string, args ...any) { fmt.Fprintf(v, format+"\n", args...) }

var cases = sync.OnceValue(allCases)

// red runs the cases with these ids, and the summary, and returns the errors of those
// that fail, by case.
func red(mount Mount, ids []string) map[string]string {
	failed := make(map[string]string)
	try := func(name string, check func(reporter)) {
		var v verdicts
		check(&v)
		if text := v.String(); text != "" {
			failed[name] = text
		}
	}
	s := newSuite(mount, 3*time.Second)
	for _, c := range cases() {
		if slices.Contains(ids, c.name[:4]) {
			try(c.name, func(t reporter) { s.run(t, c) })
		}
	}
	for _, c := range s.summary() {
		try(c.name, c.check)
	}
	return failed
}

// adapter returns a Mount whose adapter calls serve for each request.
func adapter(serve func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request)) Mount {
	return func(v *core.Verifier, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(v, next, w, r) })
	}
}

// right is a correct adapter.
func right(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
	admission, err := v.Admit(nil, r, core.BodyForHandler)
	admitted := admission.Request
	defer admission.Release()
	if err != nil {
		core.WriteProblem(w, r, err)
		return
	}
	next.ServeHTTP(w, admitted)
}

// replacing is a correct adapter with one of its steps replaced.
func replacing(admitted func(r, admitted *http.Request) *http.Request, writer func(http.ResponseWriter) http.ResponseWriter,
	problem func(http.ResponseWriter, *http.Request, error)) Mount {
	return adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
		admission, err := v.Admit(nil, r, core.BodyForHandler)
		a := admission.Request
		defer admission.Release()
		switch {
		case err != nil && problem != nil:
			problem(w, r, err)
		case err != nil:
			core.WriteProblem(w, r, err)
		case writer != nil:
			next.ServeHTTP(writer(w), a)
		default:
			next.ServeHTTP(w, admitted(r, a))
		}
	})
}

// TestRunFails: for adapters with mistakes that real adapters had, the named cases fail.
func TestRunFails(t *testing.T) {
	needs.Long(t) // runs the suite for each wrong adapter
	for _, tt := range []struct {
		name  string
		mount Mount
		red   []string
	}{
		{"it calls next after a refusal as well", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admitted := admission.Request
			defer admission.Release()
			if err != nil {
				core.WriteProblem(w, r, err)
				admitted = r
			}
			next.ServeHTTP(w, admitted)
		}), []string{"T010", "T014", "T055", "T114"}},
		{"it passes on the original request", replacing(func(r, _ *http.Request) *http.Request { return r }, nil, nil),
			[]string{"T001", "T002", "T031", "T116"}},
		{"it passes on only the context", replacing(func(r, a *http.Request) *http.Request { return r.WithContext(a.Context()) }, nil, nil),
			[]string{"T031", "T064"}},
		{"it never calls Release", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admitted := admission.Request
			if err != nil {
				core.WriteProblem(w, r, err)
				return
			}
			next.ServeHTTP(w, admitted)
		}), []string{"T002", "T055", "T062"}},
		{"it releases before the handler runs", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admitted := admission.Request
			admission.Release()
			if err != nil {
				core.WriteProblem(w, r, err)
				return
			}
			next.ServeHTTP(w, admitted)
		}), []string{"T002", "T062"}},
		{"it always refuses", adapter(func(_ *core.Verifier, _ http.Handler, w http.ResponseWriter, r *http.Request) {
			core.WriteProblem(w, r, core.Refuse(core.CodeSignatureMismatch, ""))
		}), []string{"T001", "T002", "T006", "T120"}},
		{"it refuses whatever the verdict", adapter(func(v *core.Verifier, _ http.Handler, w http.ResponseWriter, r *http.Request) {
			admission, _ := v.Admit(nil, r, core.BodyForHandler)
			defer admission.Release()
			core.WriteProblem(w, r, core.Refuse(core.CodeSignatureMismatch, ""))
		}), []string{"T001", "T002", "T006", "T120"}},
		{"it always accepts", adapter(func(_ *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
		}), []string{"T001", "T010", "T055", "T141", "T170"}},
		{"it accepts whatever the verdict", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			admission, err := v.Admit(nil, r, core.BodyForHandler)
			admitted := admission.Request
			defer admission.Release()
			if err != nil {
				admitted = r
			}
			next.ServeHTTP(w, admitted)
		}), []string{"T010", "T055", "T141", "T170"}},
		{"it runs the handler twice", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			right(v, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				next.ServeHTTP(w, r)
			}), w, r)
		}), []string{"T001", "T114"}},
		{"it calls the verifier twice", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			v.Verify(r)
			right(v, next, w, r)
		}), []string{"T001", "T010"}},
		{"it reads the body first", adapter(func(v *core.Verifier, next http.Handler, w http.ResponseWriter, r *http.Request) {
			io.ReadAll(r.Body)
			right(v, next, w, r)
		}), []string{"T002", "T056"}},
		{"it hides the writer's optional interfaces", replacing(nil, func(w http.ResponseWriter) http.ResponseWriter { return struct{ http.ResponseWriter }{w} }, nil),
			[]string{"T123", "T124"}},
		{"it writes its own response", replacing(admittedAsIs, nil, func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "unauthorized", core.StatusCode(err))
		}), []string{"T010", "T057"}},
		{"it writes the reason into a header", replacing(admittedAsIs, nil, func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("X-Reason", string(core.CodeOf(err)))
			core.WriteProblem(w, r, err)
		}), []string{"T130", "T128"}},
		{"it writes the received signature into the response", replacing(admittedAsIs, nil, func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("X-Got", r.Header.Get("Authorization"))
			core.WriteProblem(w, r, err)
		}), []string{"T126", "T128"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// T011 and T015 provide refusals with other codes for the summary.
			failed := red(tt.mount, append(tt.red, "T011", "T015"))
			for _, id := range tt.red {
				if !slices.ContainsFunc(names(failed), func(name string) bool { return strings.HasPrefix(name, id) }) {
					t.Errorf("%s does not fail", id)
				}
			}
		})
	}
}

func admittedAsIs(_, admitted *http.Request) *http.Request { return admitted }

func names(failed map[string]string) []string {
	var names []string
	for name := range failed {
		names = append(names, name)
	}
	return names
}

// TestRecorderStaysGreen: the cases that fail in TestRunFails pass for a correct adapter.
func TestRecorderStaysGreen(t *testing.T) {
	for name, text := range red(adapter(right), []string{"T001", "T002", "T010", "T014", "T015", "T031", "T055", "T056", "T057",
		"T062", "T064", "T114", "T120", "T123", "T124", "T130", "T170"}) {
		t.Errorf("%s: %s", name, text)
	}
}

// TestCases: each case has an id, a unique name, and either a request or a script.
func TestCases(t *testing.T) {
	id := regexp.MustCompile(`^[TDF][0-9]{2,3} `)
	seen := make(map[string]bool)
	for _, c := range cases() {
		if !id.MatchString(c.name) || seen[c.name] {
			t.Errorf("case %q: it has no id, or its name is not unique", c.name)
		}
		if scripted := c.script != nil; scripted == (c.send.proto != "") {
			t.Errorf("case %q: want either a request with its verdict or a script", c.name)
		}
		seen[c.name] = true
	}
	if len(seen) < 600 {
		t.Errorf("%d cases, want more: a table is missing", len(seen))
	}
}

// TestSigner: the suite's signer computes the values of other implementations.
func TestSigner(t *testing.T) {
	execute := signScoped(aws4Form(), "AWS4-HMAC-SHA256", derive("AWS4", "20260115/us-east-1/execute-api/aws4_request"),
		"20260115/us-east-1/execute-api/aws4_request", "host;x-amz-date")
	for _, tt := range []struct{ name, got, want string }{
		{"canonical request of P1", bodyHash(canonicalRequest(p1(), plain, bodyHash(""))), "d6b67001044f85822fea15b8cefcc0f06aaa56e84cef583b0e9be65d648d6bb0"},
		{"P1", k1.sign(p1(), plain).value("Authorization"), p1().value("Authorization")},
		{"P2", k1.sign(p2(), plain).value("Authorization"), p2().value("Authorization")},
		{"scoped", after(scopedForm()), "9596d87a0031752c865248525f6ffc0cf2609f771f0189cf5c4d1f8e6e2e171b"},
		{"V11", after(v11Form()), "0b9a29bed88eb06b650a5b6156c0060f4707b4865255a794e64e6cfba5599013"},
		{"AWS4", after(execute), "8bebe40d96bd54623c6fe6da4ee1c541cf55b13eeb5b1d0c82dd5aa0b5d00013"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

func after(m message) string {
	_, signature, _ := strings.Cut(m.value("Authorization"), "Signature=")
	return signature
}
