package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// TestCodes_T129 keeps the list of codes and their answers stable.
func TestCodes_T129(t *testing.T) {
	for code, want := range map[core.Code][2]int{
		"credential_missing": {401, 16}, "credential_malformed": {401, 16}, "scheme_not_accepted": {401, 16},
		"key_unknown": {401, 16}, "signature_mismatch": {401, 16}, "signature_expired": {401, 16},
		"signature_not_yet_valid": {401, 16}, "header_not_signed": {401, 16}, "payload_not_signed": {401, 16},
		"payload_unsupported": {401, 16}, "body_mismatch": {401, 16}, "replayed": {401, 16}, "throttled": {401, 16},
		"key_not_bound": {403, 7}, "host_not_ours": {421, 7}, "request_ambiguous": {400, 3}, "body_too_large": {413, 8}, "unavailable": {503, 14},
	} {
		err := fmt.Errorf("wrapped: %w", &core.Error{Code: code, Detail: "d"})
		if core.StatusCode(err) != want[0] || core.GRPCStatusCode(err) != uint32(want[1]) || core.CodeOf(err) != code {
			t.Errorf("%s: got %d, %d", code, core.StatusCode(err), core.GRPCStatusCode(err))
		}
		if !errors.Is(err, &core.Error{Code: code}) || errors.Is(err, &core.Error{Code: "other"}) {
			t.Errorf("%s: errors.Is by code does not hold", code)
		}
	}
	refusal := fmt.Errorf("wrapped: %w", &core.Error{Code: "replayed", Detail: "d", Header: "h", Err: io.EOF})
	for _, other := range []core.Error{{Code: "replayed", Detail: "d"}, {Code: "replayed", Header: "h"}, {Code: "replayed", Err: io.EOF}} {
		if errors.Is(refusal, &other) {
			t.Errorf("%+v is taken for %v: a code alone stands for each of its errors", &other, refusal)
		}
	}
	foreign := errors.New("x")
	if core.StatusCode(nil) != 200 || core.GRPCStatusCode(nil) != 0 || core.CodeOf(nil) != "" ||
		core.StatusCode(foreign) != 503 || core.GRPCStatusCode(foreign) != 14 || core.CodeOf(foreign) != "" || core.CodeOf(&core.Error{Code: "made_up"}) != core.CodeUnavailable || core.StatusCode(&core.Error{Code: "made_up"}) != 503 {
		t.Error("nil and foreign errors")
	}
	if core.HintOf(nil)+core.HintOf(foreign) != "" || core.HintOf(&core.Error{Code: core.CodeReplayed}) != core.CodeReplayed.Hint() {
		t.Errorf("hints of nil and foreign errors: %q, %q", core.HintOf(nil), core.HintOf(foreign))
	}
}

// TestExposeReason: development answers explain, and still hold no signature.
func TestExposeReason(t *testing.T) {
	var log strings.Builder
	v := verifier(t, func(c *core.Config) {
		c.ExposeReason = true
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	if !strings.Contains(log.String(), "development only") {
		t.Errorf("no warning at start: %s", &log)
	}
	_, err := v.Admit(nil, request(t, strings.Replace(p1, "items", "other", 1)), core.BodyForHandler)
	w := httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	var answer struct {
		Code             core.Code
		CanonicalRequest string `json:"canonical_request"`
		StringToSign     string `json:"string_to_sign"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	const canonicalRequest = `GET
/v1/other/

host:api.example.com
x-sdk-date:20260115T120000Z

host;x-sdk-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`
	if answer.Code != core.CodeSignatureMismatch || answer.CanonicalRequest != canonicalRequest ||
		!strings.HasPrefix(answer.StringToSign, "SDK-HMAC-SHA256\n20260115T120000Z\n") {
		t.Errorf("got %s", w.Body)
	}
	_, err = v.Admit(nil, request(t, strings.Replace(p1, "Authorization", "X-Other", 1)), core.BodyForHandler)
	w = httptest.NewRecorder()
	core.WriteProblem(w, nil, err)
	if !strings.Contains(w.Body.String(), `"code":"credential_missing"`) {
		t.Errorf("got %s", w.Body)
	}
}

// TestWriteProblem: what is answered when nothing is exposed.
func TestWriteProblem(t *testing.T) {
	_, err := verifier(t).Admit(nil, request(t, strings.Replace(p1, "items", "other", 1)), core.BodyForHandler)
	w := httptest.NewRecorder()
	core.WriteProblem(w, request(t, p1), err)
	const body = `{"title":"Unauthorized","status":401,"detail":"The request does not prove that it came through the gateway."}` + "\n"
	if w.Code != 401 || w.Body.String() != body || w.Header().Get("Content-Type") != "application/problem+json" ||
		w.Header().Get("WWW-Authenticate") != `SDK-HMAC-SHA256 realm="gateway", Basic realm="gateway"` || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	core.WriteProblem(w, nil, io.EOF)
	const unavailable = `{"title":"Service Unavailable","status":503,"detail":"The request cannot be verified at the moment."}` + "\n"
	if w.Code != 503 || w.Body.String() != unavailable || w.Header().Get("Content-Length") != strconv.Itoa(len(unavailable)) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	for code, header := range map[core.Code]string{core.CodeBodyTooLarge: "Connection", core.CodeUnavailable: "Retry-After"} {
		w := httptest.NewRecorder()
		core.WriteProblem(w, request(t, p1), &core.Error{Code: code})
		if w.Header().Get(header) == "" || w.Header().Get("WWW-Authenticate") != "" || strings.Contains(w.Body.String(), string(code)) {
			t.Errorf("%s: got %v %s", code, w.Header(), w.Body)
		}
	}
}

// TestConnectionIsClosed: a connection of HTTP/1 is closed behind a refusal whose request may
// have much body left, and no other one.
func TestConnectionIsClosed(t *testing.T) {
	for _, tt := range []struct {
		major  int
		length int64
		code   core.Code
		closed bool
	}{
		{1, 0, core.CodeReplayed, false}, {1, 4096, core.CodeReplayed, false}, {1, 4097, core.CodeReplayed, true}, {1, -1, core.CodeReplayed, true},
		{2, 4097, core.CodeReplayed, false}, {2, -1, core.CodeReplayed, false}, {1, 0, core.CodeBodyTooLarge, true}, {2, 0, core.CodeBodyTooLarge, true},
	} {
		w := httptest.NewRecorder()
		core.WriteProblem(w, &http.Request{ProtoMajor: tt.major, ContentLength: tt.length}, &core.Error{Code: tt.code})
		if closed := w.Header().Get("Connection") == "close"; closed != tt.closed {
			t.Errorf("%+v: closed %t", tt, closed)
		}
	}
}

// TestExposedTextIsTheRequestsOwn: what an answer shows in development is of the
// request that is refused, and never of one before it.
func TestExposedTextIsTheRequestsOwn(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.ExposeReason = true })
	exposed := func(cookie string) string {
		r := request(t, p1)
		r.Header.Set("Cookie", cookie)
		replaceIn(r, "SignedHeaders=host", "SignedHeaders=cookie;host")
		_, err := v.Verify(r)
		problem := core.ProblemOf(err)
		return problem.CanonicalRequest + problem.StringToSign
	}
	for range 10 {
		if got := exposed("session=of-somebody-else"); !strings.Contains(got, "somebody-else") {
			t.Fatalf("nothing is exposed: %q", got)
		}
		if got := exposed("\n"); got != "" {
			t.Fatalf("got %q", got)
		}
	}
	refused := func(item string) error {
		_, err := v.Verify(request(t, strings.Replace(p1, "items", item, 1)))
		return err
	}
	first, second := refused("first"), refused("second")
	for item, err := range map[string]error{"first": first, "second": second} {
		if got := core.ProblemOf(err).CanonicalRequest; !strings.HasPrefix(got, "GET\n/v1/"+item+"/\n") {
			t.Errorf("%s: got %q", item, got)
		}
	}
}

// TestNothingToExpose: an answer shows no canonical request where the verifier made none: the
// request was refused before its payload was known, or its scheme signs no requests.
func TestNothingToExpose(t *testing.T) {
	v := verifier(t, func(c *core.Config) { c.ExposeReason = true })
	early := request(t, strings.Replace(p1, "20260115T120000Z", "20260115T180000Z", 1))
	password := testkit.Unsigned("GET", "/v1/items")
	password.SetBasicAuth(user.ID, "wrong")
	for want, r := range map[core.Code]*http.Request{core.CodeSignatureNotYetValid: early, core.CodeSignatureMismatch: password} {
		_, err := v.Verify(r)
		wantCode(t, err, want)
		if p := core.ProblemOf(err); p.Code != want || p.CanonicalRequest != "" || p.StringToSign != "" {
			t.Errorf("got %+v", p)
		}
	}
}
