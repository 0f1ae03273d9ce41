package echotest

import (
	"net/http"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/adaptertest"
)

// TestRetries runs [adaptertest.TestRetries] with Use and with Pre.
func TestRetries[M any](t *testing.T, f Echo[M]) {
	for name, mount := range map[string]adaptertest.Mount{"Use": f.Use(), "Pre": f.Pre()} {
		t.Run(name, func(t *testing.T) { adaptertest.TestRetries(t, mount) })
	}
}

// TestRetriesOfErrors is that an error which the handler returns counts as Echo's
// error handler answers it, also if middleware in front restores the writer.
func TestRetriesOfErrors[M any](t *testing.T, f Echo[M]) {
	for name, front := range map[string][]M{"alone": nil, "behind another writer": {f.Restore}} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestRetries(t, func(v *core.Verifier, next http.Handler) http.Handler {
				e := f.New()
				e.Use(front...)
				e.Use(f.Verify(v), f.Through(func(w http.ResponseWriter, r *http.Request, _ func(*http.Request) error) error {
					kept := &errorWriter{ResponseWriter: w}
					next.ServeHTTP(kept, r)
					if kept.status != 0 {
						return f.Error(kept.status)
					}
					return nil
				}))
				e.Handle("", "/*", next)
				return e
			})
		})
	}
}

// errorWriter keeps a status from 400 on, which the handler then returns as an error.
type errorWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap is for [http.ResponseController].
func (w *errorWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *errorWriter) WriteHeader(status int) {
	if status >= 400 && w.status == 0 {
		w.status = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *errorWriter) Write(p []byte) (int, error) {
	if w.status != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
