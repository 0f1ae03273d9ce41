package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
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
	foreign := errors.New("x")
	if core.StatusCode(nil) != 200 || core.GRPCStatusCode(nil) != 0 || core.CodeOf(nil) != "" ||
		core.StatusCode(foreign) != 503 || core.GRPCStatusCode(foreign) != 14 || core.CodeOf(foreign) != "" || core.CodeOf(&core.Error{Code: "made_up"}) != core.CodeUnavailable || core.StatusCode(&core.Error{Code: "made_up"}) != 503 {
		t.Error("nil and foreign errors")
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
	for code, header := range map[core.Code]string{core.CodeBodyTooLarge: "Connection", core.CodeUnavailable: "Retry-After"} {
		w := httptest.NewRecorder()
		core.WriteProblem(w, request(t, p1), &core.Error{Code: code})
		if w.Header().Get(header) == "" || w.Header().Get("WWW-Authenticate") != "" || strings.Contains(w.Body.String(), string(code)) {
			t.Errorf("%s: got %v %s", code, w.Header(), w.Body)
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
}
