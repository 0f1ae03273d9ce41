package huawei_test

import (
	"bufio"
	"bytes"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// accepted sends raw and demands that the handler ran exactly once and saw
// what was sent: target, headers and body byte for byte.
func accepted(t testing.TB, b *wire.Backend, raw, body []byte) *core.Identity {
	t.Helper()
	answer := b.Send(t, raw)
	if answer.Status != http.StatusOK || len(answer.Runs) != 1 || !slices.Equal(answer.Codes, []core.Code{""}) {
		t.Fatalf("got status %d, verdicts %q, handler run %d times; want it accepted once\n%.600q",
			answer.Status, answer.Codes, len(answer.Runs), raw)
	}
	got, sent := answer.Runs[0], wire.Parse(t, raw)
	if got.Method != sent.Text(sent.Method) || got.Target != sent.Target() {
		t.Errorf("got %s %.200q, want %s %.200q", got.Method, got.Target, sent.Text(sent.Method), sent.Target())
	}
	if !bytes.Equal(got.Body, body) {
		t.Errorf("got a body of %d bytes, want the %d that were sent\n%.200q\n%.200q", len(got.Body), len(body), got.Body, body)
	}
	for _, f := range sent.Fields {
		if f.Name == "host" || f.Name == "transfer-encoding" { // not among r.Header
			continue
		}
		if values := got.Header.Values(f.Name); !slices.Equal(values, sent.Values(f.Name)) {
			t.Errorf("header %s: got %q, want %q", f.Name, values, sent.Values(f.Name))
		}
	}
	if got.Host != sent.Values("host")[0] {
		t.Errorf("got host %q, want %q", got.Host, sent.Values("host")[0])
	}
	id := got.Identity
	keyID, _, _ := strings.Cut(sent.Text(sent.Parameters["Access"])+sent.Text(sent.Parameters["Credential"]), "/")
	if !id.Verified() || id.Key() != "orders" || id.KeyID() != keyID {
		t.Fatalf("got identity %v, want key orders verified, of id %s", id, keyID)
	}
	if algorithm := sent.Text(sent.Algorithm); id.Algorithm() != algorithm {
		t.Errorf("got algorithm %q, want %q", id.Algorithm(), algorithm)
	}
	if signed := sent.Text(sent.Parameters["SignedHeaders"]); strings.Join(id.SignedHeaders(), ";") != signed {
		t.Errorf("got signed headers %q, want %q", id.SignedHeaders(), signed)
	}
	return id
}

// refused sends raw and demands that the handler did not run and that the
// verdict is one of codes. The code "" stands for net/http's own 400, which
// comes before any verdict.
func refused(t testing.TB, b *wire.Backend, raw []byte, codes ...core.Code) {
	t.Helper()
	answer := b.Send(t, raw)
	if len(answer.Runs) != 0 {
		t.Fatalf("the handler ran, verdicts %q; want a refusal with one of %q\n%.600q", answer.Codes, codes, raw)
	}
	got, status := core.Code(""), http.StatusBadRequest
	if len(answer.Codes) == 1 {
		got = answer.Codes[0]
		status = core.StatusCode(&core.Error{Code: got})
	}
	if len(answer.Codes) > 1 || !slices.Contains(codes, got) || answer.Status != status {
		t.Errorf("got status %d, verdicts %q; want a refusal with one of %q\n%.600q", answer.Status, answer.Codes, codes, raw)
	}
}

// reasons gives for each part of a request the codes that a changed byte in it
// may be refused with.
var reasons = map[string][]core.Code{
	"method":        {core.CodeSignatureMismatch},
	"path":          {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, ""},
	"query":         {core.CodeSignatureMismatch, core.CodeRequestAmbiguous},
	"body":          {core.CodeSignatureMismatch},
	"body declared": {core.CodeBodyMismatch}, // its digest is a signed header
	"algorithm":     {core.CodeSchemeNotAccepted},
	"Access":        {core.CodeKeyUnknown},
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"Signature":     {core.CodeSignatureMismatch},
	// Without its name a header is absent; the date is then missing as well, a
	// host is net/http's to miss, and an unknown x-sdk-* header is unsigned.
	"name":                       {core.CodeHeaderNotSigned},
	"name host":                  {""},
	"name x-sdk-date":            {core.CodeCredentialMalformed},
	"value":                      {core.CodeSignatureMismatch},
	"value x-sdk-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-sdk-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
	"value x-sdk-content-sm3":    {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// tamper demands that each change is refused, and counts them. Accepted, and
// not counted, are only the changes that the canonical form hides, and those
// of a body that the SDK declared unsigned.
func tamper(t testing.TB, b *wire.Backend, l wire.Layout, changes []wire.Change) (refusals int) {
	t.Helper()
	// No request here has both.
	declared := strings.Join(append(l.Values("x-sdk-content-sha256"), l.Values("x-sdk-content-sm3")...), "")
	for _, change := range changes {
		detail := change.Header
		switch change.Part {
		case "path", "query":
			if collide(t, l.Raw, change.Raw) {
				accepted(t, b, change.Raw, bodyOf(t, l.Raw))
				continue
			}
		case "body":
			if declared == "UNSIGNED-PAYLOAD" {
				if id := accepted(t, b, change.Raw, bodyOf(t, change.Raw)); id.Payload() != core.PayloadUnsigned {
					t.Errorf("got payload %v, want unsigned", id.Payload())
				}
				continue
			}
			if declared != "" {
				detail = "declared"
			}
		}
		codes, ok := reasons[change.Part+" "+detail]
		if !ok {
			codes = reasons[change.Part]
		}
		refused(t, b, change.Raw, codes...)
		refusals++
	}
	return refusals
}

// bodyOf returns the body of a raw request as a server reads it.
func bodyOf(t testing.TB, raw []byte) []byte {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// oneSecondLater changes the last digit of the date, which stays within the
// window: only the signature can tell.
func oneSecondLater(t testing.TB, l wire.Layout) []byte {
	t.Helper()
	for _, f := range l.Fields {
		if f.Name == "x-sdk-date" {
			at := f.Value.End - len("0Z")
			return wire.Replace(l.Raw, at, '0'+(l.Raw[at]-'0'+1)%10)
		}
	}
	t.Fatal("no x-sdk-date")
	return nil
}

// seeded returns randomness that depends on the test's name alone, so that a
// case is the same in any order and beside any other.
func seeded(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
