package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
)

// Accept sends raw, which the key named orders has signed. It checks that the handler ran
// exactly once, and received the target, the headers and the body byte for byte.
func (b *Backend) Accept(t testing.TB, raw []byte) *core.Identity {
	t.Helper()
	answer := b.Send(t, raw)
	if answer.Status != http.StatusOK || len(answer.Runs) != 1 || !slices.Equal(answer.Codes, []core.Code{""}) {
		t.Fatalf("got status %d, verdicts %q, handler run %d times; want it accepted once\n%.900q",
			answer.Status, answer.Codes, len(answer.Runs), raw)
	}
	got, sent := answer.Runs[0], Parse(t, raw)
	if got.Method != sent.Text(sent.Method) || got.Target != sent.Target() {
		t.Errorf("got %s %.200q, want %s %.200q", got.Method, got.Target, sent.Text(sent.Method), sent.Target())
	}
	if body := Body(t, raw); !bytes.Equal(got.Body, body) {
		t.Errorf("got a body of %d bytes, want the %d that were sent\n%.200q\n%.200q", len(got.Body), len(body), got.Body, body)
	}
	for _, f := range sent.Fields {
		if f.Name == "host" || f.Name == "transfer-encoding" { // not in r.Header
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
	if keyID := sent.keyID(); !id.Verified() || id.Key() != "orders" || id.KeyID() != keyID {
		t.Fatalf("got identity %v, want a verified one of the key orders with the id %s", id, keyID)
	}
	if algorithm := sent.Text(sent.Algorithm); id.Algorithm() != algorithm {
		t.Errorf("got algorithm %q, want %q", id.Algorithm(), algorithm)
	}
	if !slices.Equal(id.SignedHeaders(), sent.SignedHeaders()) {
		t.Errorf("got signed headers %q, want %q", id.SignedHeaders(), sent.SignedHeaders())
	}
	return id
}

// keyID returns the id of the key that the credential names.
func (l *Layout) keyID() string {
	credential := l.Text(l.Parameters["Access"]) + l.Text(l.Parameters["Credential"])
	if l.Presigned() {
		credential, _ = url.QueryUnescape(credential)
	}
	id, _, _ := strings.Cut(credential, "/")
	return id
}

// Refuse sends raw, and checks that the handler did not run and that the verdict is one
// of codes. The code "" stands for a 400 of net/http without a verdict.
func (b *Backend) Refuse(t testing.TB, raw []byte, codes ...core.Code) {
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

// Tamper sends each change, checks that it is refused with one of the codes that expected
// returns for it, and returns the number of refusals. If expected returns none, the
// change must be accepted: the canonical form hides it, or it changes an unsigned body.
func (b *Backend) Tamper(t testing.TB, changes []Change, expected func(Change) []core.Code) (refusals int) {
	t.Helper()
	for _, change := range changes {
		if codes := expected(change); codes != nil {
			b.Refuse(t, change.Raw, codes...)
			refusals++
		} else if id := b.Accept(t, change.Raw); change.Part == "body" && id.Payload() != core.PayloadUnsigned {
			t.Errorf("got payload %v, want unsigned", id.Payload())
		}
	}
	return refusals
}

// Codes has the codes with which a request may be refused after a change of a byte, by
// the part of the byte, or by the part and a detail such as the header's name.
type Codes map[string][]core.Code

// Of returns the codes of the detail, or those of the part if the detail has none.
func (c Codes) Of(part, detail string) []core.Code {
	for _, list := range []Codes{c, commonCodes} {
		if codes, ok := list[part+" "+detail]; ok {
			return codes
		}
	}
	if codes, ok := c[part]; ok {
		return codes
	}
	return commonCodes[part]
}

// commonCodes are the codes for every vendor.
var commonCodes = Codes{
	"method":        {core.CodeSignatureMismatch},
	"path":          {core.CodeSignatureMismatch, core.CodeRequestAmbiguous, ""},
	"query":         {core.CodeSignatureMismatch, core.CodeRequestAmbiguous},
	"body":          {core.CodeSignatureMismatch},
	"body declared": {core.CodeBodyMismatch}, // its digest is signed
	"algorithm":     {core.CodeSchemeNotAccepted},
	// A byte of the id, the date, the terminator, the region or the service.
	"Credential":    {core.CodeKeyUnknown, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"SignedHeaders": {core.CodeHeaderNotSigned, core.CodeCredentialMalformed, core.CodeSignatureMismatch},
	"Signature":     {core.CodeSignatureMismatch},
	// If the name is changed, the header is absent; net/http refuses a missing Host.
	"name":      {core.CodeHeaderNotSigned},
	"name host": {""},
	"value":     {core.CodeSignatureMismatch},
}

// Body returns the body of a raw request as a server reads it.
func Body(t testing.TB, raw []byte) []byte {
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
