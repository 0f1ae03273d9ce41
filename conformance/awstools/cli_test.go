package awstools_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// awsProgram is Debian's command line. What it signs depends on the version, and another
// version may come first in PATH.
const awsProgram = "/usr/bin/aws"

// cli is the command line with its own home directory.
type cli struct {
	program, dir string
}

func newCLI(t *testing.T) cli {
	needs.Long(t) // each command takes about a second
	c := cli{needs.Program(t, awsProgram, "awscli"), t.TempDir()}
	if err := os.WriteFile(filepath.Join(c.dir, "upload"), []byte("content\x00\xff\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// command returns a command that runs in a folder with the file "upload". It uses no
// network but loopback, and reads only its own configuration.
func (c cli) command(t *testing.T, token string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), c.program, args...)
	cmd.Dir = c.dir
	cmd.Env = []string{
		"HOME=" + c.dir, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
		"AWS_ACCESS_KEY_ID=" + keyID, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_DEFAULT_REGION=" + region, "NO_PROXY=*",
	}
	if token != "" {
		cmd.Env = append(cmd.Env, "AWS_SESSION_TOKEN="+token)
	}
	return cmd
}

// says returns a handler that responds with this body.
func says(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, body)
	}
}

// object responds as S3 does for an object with the content "content", for GET, HEAD and
// PUT.
func object(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Last-Modified", "Thu, 15 Jan 2026 12:00:00 GMT")
	if r.Method != "PUT" {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("content"))
	}
}

const (
	typeXML = "application/xml"
	etag    = `"9a0364b9e99bb480dd25e1f0284c8555"`
)

// oddKeys are unusual names of objects.
var oddKeys = []string{
	"a b+c%20/ü/中文/😀", "!$&'()*,;=:@~[]{}|^`\"<>?#", "//lead//double/", "back\\slash/literal%2Fslash%41", "./a/./b/../c",
}

// TestAWSCLI runs real commands against the middleware.
func TestAWSCLI(t *testing.T) {
	c := newCLI(t)
	type command struct {
		name string
		expected
		args     []string
		handler  http.HandlerFunc
		requests int    // 0 means 1
		output   string // a part of what the command prints
	}
	s3 := expected{service: "s3"}
	commands := []command{
		{"s3api list-objects-v2", s3, []string{"s3api", "list-objects-v2", "--bucket", "bucket", "--prefix", "a b/+&=ü%20", "--delimiter", "/", "--start-after", "~*()'!"},
			says(typeXML, "<ListBucketResult><Contents><Key>found</Key></Contents></ListBucketResult>"), 0, "found"},
		{"s3api get-object", s3, []string{"s3api", "get-object", "--bucket", "bucket", "--key", oddKeys[0], "--range", "bytes=0-2", "--version-id", "a+b/c==",
			"--response-content-type", "text/plain; charset=utf-8", "--if-match", etag, "/dev/null"}, object, 0, "ContentLength"},
		{"s3api put-object with everything", s3, []string{"s3api", "put-object", "--bucket", "bucket", "--key", "k", "--body", "upload", "--content-type", "text/plain",
			"--metadata", "first=a  b,second=c", "--tagging", "a=1&b=x%20y", "--cache-control", "no-cache", "--content-language", "de", "--acl", "private"}, object, 0, "ETag"},
		{"s3api put-object with a checksum", s3, []string{"s3api", "put-object", "--bucket", "bucket", "--key", "k", "--body", "upload", "--checksum-algorithm", "SHA256"}, object, 0, "ETag"},
		{"s3api copy-object", s3, []string{"s3api", "copy-object", "--bucket", "bucket", "--key", "k", "--copy-source", "bucket/ä key+%"},
			says(typeXML, "<CopyObjectResult><ETag>copied</ETag></CopyObjectResult>"), 0, "copied"},
		{"s3api delete-objects", s3, []string{"s3api", "delete-objects", "--bucket", "bucket", "--delete", `{"Objects":[{"Key":"a <&> ü"}]}`},
			says(typeXML, "<DeleteResult><Deleted><Key>gone</Key></Deleted></DeleteResult>"), 0, "gone"},
		{"s3api create-multipart-upload", s3, []string{"s3api", "create-multipart-upload", "--bucket", "bucket", "--key", "k"},
			says(typeXML, "<InitiateMultipartUploadResult><UploadId>begun</UploadId></InitiateMultipartUploadResult>"), 0, "begun"},
		{"s3 cp up", s3, []string{"s3", "cp", "upload", "s3://bucket/a b/ü", "--no-guess-mime-type", "--no-progress"}, object, 0, "upload:"},
		{"s3 cp down", s3, []string{"s3", "cp", "s3://bucket/a b/ü", "-"}, object, 2, "content"},
		{"s3 with a session token", expected{service: "s3", token: "session/token+=="}, []string{"s3api", "head-object", "--bucket", "bucket", "--key", "k"}, object, 0, "ETag"},

		{"sts get-caller-identity", expected{service: "sts"}, []string{"sts", "get-caller-identity"},
			says(typeXML, "<R><GetCallerIdentityResult><Arn>caller</Arn></GetCallerIdentityResult></R>"), 0, "caller"},
		{"dynamodb list-tables", expected{service: "dynamodb"}, []string{"dynamodb", "list-tables", "--limit", "3"}, says("application/x-amz-json-1.0", `{"TableNames":["found"]}`), 0, "found"},
		{"ec2 describe-regions", expected{service: "ec2"}, []string{"ec2", "describe-regions", "--filters", "Name=a b+,Values=ü,%20"},
			says(typeXML, "<R><regionInfo><item><regionName>found</regionName></item></regionInfo></R>"), 0, "found"},
		{"apigateway get-rest-apis", expected{service: "apigateway"}, []string{"apigateway", "get-rest-apis", "--limit", "7"}, says("application/json", `{"item":[{"name":"found"}]}`), 0, "found"},
		{"apigateway untag-resource", expected{service: "apigateway"}, []string{"apigateway", "untag-resource",
			"--resource-arn", "arn:aws:apigateway:eu-west-1::/restapis/a b", "--tag-keys", "z/y", "a b", "ü", "a+b"}, says("application/json", ""), 0, ""},
		{"apigatewaymanagementapi", expected{}, []string{"apigatewaymanagementapi", "post-to-connection", "--connection-id", "P-S_9e/7l+A=", "--data", "YQ=="}, says("application/json", ""), 0, ""},
		{"lambda invoke", expected{service: "lambda"}, []string{"lambda", "invoke", "--function-name", "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST", "--payload", "e30=", "/dev/null"},
			says("application/json", "{}"), 0, "StatusCode"},
		{"iot-data publish", expected{service: "iotdata"}, []string{"iot-data", "publish", "--topic", "a b/../$x/ü//+#", "--payload", "AP8=", "--qos", "1"}, says("application/json", ""), 0, ""},
		{"no credentials", expected{service: "sts", want: core.CodeCredentialMissing, why: "not signed, on request"}, []string{"sts", "get-caller-identity", "--no-sign-request"}, nil, 0, ""},
		{"other region", expected{service: "sts", want: core.CodeSignatureMismatch, why: "signed for a region that is not the key's"}, []string{"sts", "get-caller-identity", "--region", "eu-central-1"}, nil, 0, ""},
	}
	for _, key := range oddKeys {
		commands = append(commands, command{"s3api put-object " + key, s3, []string{"s3api", "put-object", "--bucket", "bucket", "--key", key, "--body", "upload"}, object, 0, "ETag"})
	}
	n := count(t, "aws")
	for _, tt := range commands {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.policy(), tt.handler, nil)
			cmd := c.command(t, tt.token, append(tt.args, "--endpoint-url", server.url)...)
			if output := server.run(t, n, tt.expected, cmp.Or(tt.requests, 1), cmd); !strings.Contains(output, tt.output) {
				t.Errorf("got output %.300q, want a part %q", output, tt.output)
			}
		})
	}
}

// TestAWSCLIOverTLS: over TLS the command line does not sign the body for S3, and sends
// checksums in a trailer.
func TestAWSCLIOverTLS(t *testing.T) {
	c := newCLI(t)
	certificate := certificate(t, c.dir)
	put := []string{"s3api", "put-object", "--bucket", "bucket", "--key", "k", "--body", "upload", "--ca-bundle", "ca.pem"}
	n := count(t, "aws over TLS")
	for _, tt := range []struct {
		name string
		expected
		args []string
	}{
		{"unsigned", expected{service: "s3", unsigned: true}, nil},
		{"unsigned, strict policy", expected{service: "s3", want: core.CodePayloadNotSigned, why: "UNSIGNED-PAYLOAD"}, nil},
		{"checksum in a trailer", expected{service: "s3", unsigned: true, want: core.CodePayloadUnsupported, why: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
			[]string{"--checksum-algorithm", "SHA256"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.policy(), object, &certificate)
			cmd := c.command(t, "", append(append(put[:len(put):len(put)], tt.args...), "--endpoint-url", server.url)...)
			server.run(t, n, tt.expected, 1, cmd)
		})
	}
}

// certificate returns a certificate for 127.0.0.1, and writes it to ca.pem.
func certificate(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.TLS.Certificates[0]
}

// TestAWSCLILinks: links that the command line makes, and tokens that contain one, are
// accepted.
func TestAWSCLILinks(t *testing.T) {
	c := newCLI(t)
	s3 := expected{service: "s3", presigned: true, unsigned: true}
	token := s3
	token.token = "session/token+=="
	n := count(t, "aws links")
	for _, tt := range []struct {
		name string
		expected
		args []string
		raw  func(t *testing.T, output string) []byte
	}{
		{"s3 presign", s3, []string{"s3", "presign", "s3://bucket/" + oddKeys[0], "--endpoint-url", "http://127.0.0.1:8080"}, link},
		{"s3 presign for a week", s3, []string{"s3", "presign", "s3://bucket/" + oddKeys[1], "--endpoint-url", "http://127.0.0.1:8080", "--expires-in", "604800"}, link},
		{"s3 presign with a session token", token, []string{"s3", "presign", "s3://bucket/k", "--endpoint-url", "http://127.0.0.1:8080"}, link},
		{"rds generate-db-auth-token", expected{service: "rds-db", presigned: true},
			[]string{"rds", "generate-db-auth-token", "--hostname", "db.example.com", "--port", "3306", "--username", "j doe+ü"}, link},
		{"eks get-token", expected{service: "sts", presigned: true}, []string{"eks", "get-token", "--cluster-name", "cluster"}, clusterToken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			cmd := c.command(t, tt.token, tt.args...)
			cmd.Stderr = &stderr
			output, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
			}
			n.try(t, tt.expected, tt.raw(t, strings.TrimSpace(string(output))))
		})
	}
}

// link returns the request for a link, with its bytes unchanged.
func link(t *testing.T, url string) []byte {
	t.Helper()
	if _, rest, ok := strings.Cut(url, "://"); ok {
		url = rest
	}
	host, target, ok := strings.Cut(url, "/")
	if !ok {
		t.Fatalf("no link: %q", url)
	}
	return fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", target, host)
}

// clusterToken returns the request that a Kubernetes cluster sends for a token: a link,
// with the cluster's name in a signed header.
func clusterToken(t *testing.T, output string) []byte {
	t.Helper()
	var credential struct{ Status struct{ Token string } }
	if err := json.Unmarshal([]byte(output), &credential); err != nil {
		t.Fatal(err)
	}
	url, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(credential.Status.Token, "k8s-aws-v1."))
	if err != nil {
		t.Fatal(err)
	}
	raw := link(t, string(url))
	return append(raw[:len(raw)-2], "x-k8s-aws-id: cluster\r\n\r\n"...)
}
