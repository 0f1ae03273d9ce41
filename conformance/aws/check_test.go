package aws_test

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
func accepted(t testing.TB, b *wire.Backend, raw []byte) *core.Identity {
	t.Helper()
	answer := b.Send(t, raw)
	if answer.Status != http.StatusOK || len(answer.Runs) != 1 || !slices.Equal(answer.Codes, []core.Code{""}) {
		t.Fatalf("got status %d, verdicts %q, handler run %d times; want it accepted once\n%.900q",
			answer.Status, answer.Codes, len(answer.Runs), raw)
	}
	got, sent := answer.Runs[0], wire.Parse(t, raw)
	if got.Method != sent.Text(sent.Method) || got.Target != sent.Target() {
		t.Errorf("got %s %.200q, want %s %.200q", got.Method, got.Target, sent.Text(sent.Method), sent.Target())
	}
	if body := bodyOf(t, raw); !bytes.Equal(got.Body, body) {
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
	if !id.Verified() || id.Key() != "orders" || id.KeyID() != keyID {
		t.Fatalf("got identity %v, want key orders verified", id)
	}
	if !slices.Equal(id.SignedHeaders(), sent.SignedHeaders()) {
		t.Errorf("got signed headers %q, want %q", id.SignedHeaders(), sent.SignedHeaders())
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
		t.Fatalf("the handler ran, verdicts %q; want a refusal with one of %q\n%.900q", answer.Codes, codes, raw)
	}
	got, status := core.Code(""), http.StatusBadRequest
	if len(answer.Codes) == 1 {
		got = answer.Codes[0]
		status = core.StatusCode(&core.Error{Code: got})
	}
	if len(answer.Codes) > 1 || !slices.Contains(codes, got) || answer.Status != status {
		t.Errorf("got status %d, verdicts %q; want a refusal with one of %q\n%.900q", answer.Status, answer.Codes, codes, raw)
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
	// A byte of the id, of the day or the form, of region or service.
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"Signature":     {core.CodeSignatureMismatch},
	// Without its name a header is absent; of several lines only one is. A date
	// or region set is then missing, and a host is net/http's to miss.
	"name":                       {core.CodeHeaderNotSigned, core.CodeSignatureMismatch},
	"name host":                  {""},
	"name x-amz-date":            {core.CodeCredentialMalformed},
	"name x-amz-region-set":      {core.CodeCredentialMalformed},
	"value":                      {core.CodeSignatureMismatch},
	"value host":                 {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, ""},
	"value x-amz-date":           {core.CodeSignatureMismatch, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMalformed},
	"value x-amz-content-sha256": {core.CodeSignatureMismatch, core.CodeCredentialMalformed},
}

// presignedReasons are those that differ where the credential is part of the
// query: a byte of it may be one of a parameter's name, or end one. A query
// with another algorithm holds no credential that is known, and where the list
// of signed headers ends early the digest of the body may not be among them.
var presignedReasons = map[string][]core.Code{
	"algorithm": {core.CodeCredentialMissing},
	"path":      {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMalformed, ""},
	"query": {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodeCredentialMalformed, core.CodeKeyUnknown,
		core.CodeHeaderNotSigned, core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodeCredentialMissing, core.CodePayloadNotSigned},
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch, core.CodeRequestAmbiguous},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch, core.CodeRequestAmbiguous, core.CodePayloadNotSigned},
}

// tamper demands that each change is refused, and counts them. Accepted, and
// not counted, are only the changes that the canonical form hides, and those
// of a body that is not signed.
func tamper(t testing.TB, b *wire.Backend, d *door, r *request, l wire.Layout, changes []wire.Change) (refusals int) {
	t.Helper()
	declared := slices.Contains(l.SignedHeaders(), "x-amz-content-sha256")
	for _, change := range changes {
		detail := change.Header
		switch change.Part {
		case "path", "query", "Credential", "SignedHeaders":
			if d.presigned || change.Part == "path" || change.Part == "query" {
				if collide(d, l.Raw, change.Raw) {
					accepted(t, b, change.Raw)
					continue
				}
			}
		case "body":
			if d.unsigned(r) {
				if id := accepted(t, b, change.Raw); id.Payload() != core.PayloadUnsigned {
					t.Errorf("got payload %v, want unsigned", id.Payload())
				}
				continue
			}
			if declared {
				detail = "declared"
			}
		}
		codes, ok := reasons[change.Part+" "+detail]
		if !ok {
			codes = reasons[change.Part]
		}
		if other, ok := presignedReasons[change.Part]; ok && d.presigned {
			codes = other
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
	date := l.Parameters["Date"]
	for _, f := range l.Fields {
		if f.Name == "x-amz-date" {
			date = f.Value
		}
	}
	if !strings.HasSuffix(l.Text(date), "Z") {
		t.Fatal("no x-amz-date")
	}
	at := date.End - len("0Z")
	return wire.Replace(l.Raw, at, '0'+(l.Raw[at]-'0'+1)%10)
}

// seeded returns randomness that depends on the test's name alone, so that a
// case is the same in any order and beside any other.
func seeded(t testing.TB) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
