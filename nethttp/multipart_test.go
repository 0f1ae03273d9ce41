package nethttp_test

import (
	"bytes"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestMultipartFilesAreRemoved_T062: the server removes the files of a form that
// a handler parsed, as it does without the middleware.
func TestMultipartFilesAreRemoved_T062(t *testing.T) {
	key := core.Key{Name: "k", ID: "AKTESTAKTEST0001", Secret: core.NewSecret("sktest-0123456789abcdef")}
	v, err := core.New(core.Config{
		Environment: "test",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "k",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	during := 0
	server := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		during = files()
	})))
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "f")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(bytes.Repeat([]byte("x"), 11<<20)) // over what forms keep in memory whatever they are told
	form.Close()
	client := &http.Client{Transport: &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{})}}
	answer, err := client.Post(server.URL, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	server.Close() // waits for the request to end
	if during != 1 || files() != 0 {
		t.Errorf("%d files while the handler ran and %d afterwards, want 1 and 0", during, files())
	}
}
