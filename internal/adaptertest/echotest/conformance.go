package echotest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/coretest"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// TestConformance runs the suite with the adapter mounted for the whole server, or with a
// mutant of it that has one mistake.
func TestConformance[M any](t *testing.T, f Echo[M]) {
	mutant := func(serve func(v *core.Verifier, w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error) func(*core.Verifier) M {
		return func(v *core.Verifier) M {
			return f.Through(func(w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error {
				return serve(v, w, r, next)
			})
		}
	}
	middleware := adaptertest.Chosen(t, map[string]func(*core.Verifier) M{
		"": f.Verify,
		"it calls next after a refusal": mutant(func(v *core.Verifier, w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error {
			admission, err := v.Admit(w, r, core.BodyForHandler)
			defer admission.Release()
			if err != nil {
				core.WriteProblem(w, r, err)
				return next(r)
			}
			return next(admission.Request)
		}),
		"it does not replace the request": mutant(func(v *core.Verifier, w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error {
			admission, err := v.Admit(w, r, core.BodyForHandler)
			defer admission.Release()
			if err != nil {
				core.WriteProblem(w, r, err)
				return nil
			}
			return next(r)
		}),
		"it never calls Release": mutant(func(v *core.Verifier, w http.ResponseWriter, r *http.Request, next func(*http.Request) error) error {
			id, err := v.Verify(r)
			if err != nil {
				core.WriteProblem(w, r, err)
				return nil
			}
			return next(r.WithContext(core.NewContext(r.Context(), id)))
		}),
	})
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		e := f.New()
		e.Use(middleware(v))
		e.Handle("", "/*", next)
		return e
	})
}

// TestMutantsTurnConformanceRed: TestConformance fails for each of its mutants.
func TestMutantsTurnConformanceRed(t *testing.T) {
	adaptertest.TestMutantsTurnConformanceRed(t, map[string][]string{
		"it calls next after a refusal":   {"T010", "T055", "T114"},
		"it does not replace the request": {"T001", "T002", "T031"},
		"it never calls Release":          {"T002", "T055", "T062"},
	})
}

// TestConformanceOfGroupAndRoute runs the suite with the adapter mounted on a group
// and, for paths outside the group, on single routes. Targets that are not paths match no
// route.
func TestConformanceOfGroupAndRoute[M any](t *testing.T, f Echo[M]) {
	needs.Long(t) // the suite a second time
	coretest.Run(t, func(v *core.Verifier, next http.Handler) http.Handler {
		verify := f.Verify(v)
		e := f.New()
		e.Group("/v1", verify).Handle("", "/*", next)
		e.Handle("", "/*", next, verify)
		e.NotFound("/*", next, verify) // for methods that the routes do not have
		e.Pre(f.When(func(r *http.Request) bool { return !strings.HasPrefix(r.URL.Path, "/") }, verify))
		return e
	})
}
