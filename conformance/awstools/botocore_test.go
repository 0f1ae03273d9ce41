package awstools_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// botocore is a Python program that prints a request, signed by the copy of botocore in
// the command line, as it is sent. The caller has set Date. The argument is the class
// that signs.
const botocore = `
import sys
import awscli.botocore.session
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
name, key, secret, service, region, date = sys.argv[1:7]
body = b'{"amount":100}'
r = AWSRequest(method='POST', url='https://api.example.com/v1/items?b=2&a=1', data=body,
    headers={'Content-Type': 'application/json'})
if date:
    r.headers['Date'] = date
getattr(auth, name)(Credentials(key, secret), service, region).add_auth(r)
lines = ['POST /v1/items?b=2&a=1 HTTP/1.1', 'Host: api.example.com', 'Content-Length: %d' % len(body)]
lines += [name + ': ' + value for name, value in r.headers.items()]
sys.stdout.write('\r\n'.join(lines) + '\r\n\r\n' + body.decode())
`

// TestBotocoreDate_T180: if the caller has set a Date, botocore signs its own Date with
// the zone -0000, and sends no X-Amz-Date.
func TestBotocoreDate_T180(t *testing.T) {
	needs.Program(t, awsProgram, "awscli")
	for _, tt := range []struct{ signer, service, date string }{
		{"SigV4Auth", "execute-api", ""},
		{"SigV4Auth", "execute-api", "Tue, 03 Feb 2026 04:05:06 GMT"},
		{"SigV4Auth", "execute-api", "anything"},
		{"S3SigV4Auth", "s3", "Tue, 03 Feb 2026 04:05:06 -0000"},
	} {
		command := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", botocore, tt.signer, keyID, secret, tt.service, region, tt.date)
		var failed bytes.Buffer
		command.Stderr = &failed
		raw, err := command.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, failed.String())
		}
		if strings.Contains(string(raw), "X-Amz-Date: ") != (tt.date == "") || strings.Contains(string(raw), " -0000\r\n") != (tt.date != "") {
			t.Fatalf("%s signs another date than was meant:\n%s", tt.signer, raw)
		}
		e := expected{service: tt.service}
		backend := wire.Start(t, e.policy())
		backend.Accept(t, raw)
		backend.Refuse(t, bytes.Replace(raw, []byte(`"amount":100`), []byte(`"amount":900`), 1), map[string]core.Code{
			"SigV4Auth": core.CodeSignatureMismatch, "S3SigV4Auth": core.CodeBodyMismatch}[tt.signer])
		if tt.date != "" {
			backend.Refuse(t, bytes.Replace(raw, []byte(" -0000"), []byte(" GMT"), 1), core.CodeSignatureMismatch)
			backend.Refuse(t, bytes.Replace(raw, []byte(" -0000"), []byte(" +0100"), 1), core.CodeCredentialMalformed)
		}
	}
}
