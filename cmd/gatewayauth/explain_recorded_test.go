package main_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// away is a replay store that cannot be reached.
type away struct{}

func (away) Add(context.Context, core.ReplayEntry) (bool, error) {
	return false, errors.New("redis: connection refused")
}

// TestRecordedReasons_T285: where a file does not hold what the verdict came from, the folder's
// summary has what the file says of it: of requests that were refused because the replay store
// was away, one of them streamed and so without its body, and of passwords.
func TestRecordedReasons_T285(t *testing.T) {
	dir := folder(t)
	for name, value := range secrets {
		t.Setenv(name, value)
	}
	file, err := loadFile(filepath.Join(dir, "environments.yaml"), config.WithSecretsOf("dev"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := file.Config("dev", config.WithNow(testkit.Now), config.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	recorder, err := capture.New(capture.Config{Dir: filepath.Join(dir, "refused"), Now: testkit.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.Replay.Store, c.Observers = away{}, append(c.Observers, recorder)
	c.APIs = append(c.APIs, core.API{Match: "/streamed/", Key: orders.Name, Stream: true})
	service := nethttp.Middleware(testkit.New(t, c))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") }))
	for _, target := range []string{"/streamed/7", "/orders/7"} {
		const body = `{"amount": 100}`
		r := httptest.NewRequest("POST", target, strings.NewReader(body))
		testkit.Sign(apig.NewSigner(orders, apig.SignOptions{Payload: core.PayloadDeclared}), r, body, testkit.Now())
		testkit.Serve(service, r)
		recorder.Wait()
	}
	// A password is not in the file.
	for _, target := range []string{"/partner/7", "/orders/8"} { // the second is not the key's API
		r := httptest.NewRequest("GET", target, nil)
		password := "a wrong one"
		if target == "/orders/8" {
			password = secrets["PARTNER_PASSWORD"]
		}
		r.SetBasicAuth("partner", password)
		testkit.Serve(service, r)
		recorder.Wait()
	}
	x, text := explainFolder(t, dir, 1)
	var got []string
	for _, k := range x.Requests {
		got = append(got, k.Cause)
	}
	if want := []string{"key_not_bound", "signature_mismatch", "unavailable", "unavailable"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, want := range []string{"\n  2  unavailable\n     the replay store is unavailable: redis: connection refused. Look after ", "\n     wrong password. Compare the password "} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not contain %q:\n%s", want, text)
		}
	}
}
