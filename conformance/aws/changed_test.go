package aws_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// TestHeaderForms (T008, T026): changes of a header's value that the canonical form hides
// are accepted, all others refused.
func TestHeaderForms(t *testing.T) {
	for _, v := range variants {
		if v.service == "sts" {
			continue
		}
		r := request{target: "/", headers: [][2]string{{"X-Tag", "a,b"}, {"X-Words", "one two"}}}
		backend, raw := v.start(t, &r), v.signed(t, r)
		for _, tt := range []struct {
			name, old, changed string
			want               core.Code
		}{
			{"as signed", "X-Tag: a,b", "X-Tag: a,b", ""},
			{"comma as two lines", "X-Tag: a,b", "X-Tag: a\r\nX-Tag: b", ""}, // the same by RFC 9110 section 5.3
			{"two lines in the other order", "X-Tag: a,b", "X-Tag: b\r\nX-Tag: a", mismatch},
			{"one value twice", "X-Tag: a,b", "X-Tag: a\r\nX-Tag: a", mismatch},
			{"value added", "X-Tag: a,b", "X-Tag: a,b\r\nX-Tag: c", mismatch},
			{"space after the comma", "X-Tag: a,b", "X-Tag: a, b", mismatch},
			{"spaces", "one two", "one   two", ""},
			{"tab", "one two", "one\ttwo", ""},
			{"spaces and tabs, also outside", "one two", "\t one \t two \t", ""},
			{"no blank", "one two", "onetwo", mismatch},
			{"no-break space", "one two", "one\u00a0two", mismatch},
			{"header dropped", "X-Words: one two\r\n", "", notSigned},
			{"unsigned header added", "X-Words:", "X-Other: x\r\nX-Words:", ""},
			{"unsigned x-amz-* header added (T166)", "X-Words:", "X-Amz-Copy-Source: /b/k\r\nX-Words:", notSigned},
			{"unsigned digest added", "X-Words:", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nX-Words:", ""},
		} {
			if tt.name == "unsigned digest added" && bytes.Contains(raw, []byte("X-Amz-Content-Sha256:")) {
				continue // there is a signed one
			}
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				changed := wire.Splice(raw, tt.old, tt.changed)
				if tt.want == "" {
					backend.Accept(t, changed)
				} else {
					backend.Refuse(t, changed, tt.want)
				}
			})
		}
	}
}

// TestMessageLength: changing the length of a signed message is refused. aws-sdk-go-v2
// signs Content-Length, the others do not.
func TestMessageLength(t *testing.T) {
	for _, v := range variants {
		full := request{method: "POST", target: "/", body: "ab"}
		empty := request{method: "POST", target: "/"}
		for _, tt := range []struct {
			name         string
			r            request
			old, changed string
		}{
			{"shorter", full, "Content-Length: 2", "Content-Length: 1"},
			{"none", full, "Content-Length: 2", "Content-Length: 0"},
			{"longer", full, "Content-Length: 2", "Content-Length: 6"}, // with the four bytes added below
			{"body added", empty, "Content-Length: 0", "Content-Length: 4"},
		} {
			if v.unsigned(&tt.r) {
				continue
			}
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				backend, raw := v.start(t, &tt.r), v.signed(t, tt.r)
				backend.Accept(t, raw)
				codes := []core.Code{mismatch}
				if strings.HasPrefix(v.name, "minio/header/s3") {
					codes = []core.Code{core.CodeBodyMismatch} // its digest is declared
				}
				backend.Refuse(t, append(wire.Splice(raw, tt.old, tt.changed), "more"...), codes...)
			})
		}
	}
}

// TestUnsignedBody (T162, T065, T066): if a body is declared unsigned, or a link for S3
// leaves it unsigned, any body is accepted if the policy allows that, and otherwise
// refused.
func TestUnsignedBody(t *testing.T) {
	for _, v := range variants {
		for _, p := range v.values.payloads {
			r := request{method: "PUT", target: "/v1/items", body: "body", payload: p}
			if !v.unsigned(&r) {
				continue
			}
			t.Run(v.name, func(t *testing.T) {
				raw := v.signed(t, r)
				for _, sent := range [][]byte{raw, wire.Splice(raw, "\r\n\r\nbody", "\r\n\r\nBODY")} {
					id := v.start(t, &r).Accept(t, sent)
					if id.Payload() != core.PayloadUnsigned || id.Covers().Body {
						t.Errorf("got payload %v, coverage %+v", id.Payload(), id.Covers())
					}
					strict := v.policy(&r, v.key(&r))
					strict.AllowUnsignedPayload = false
					wire.Start(t, strict).Refuse(t, sent, core.CodePayloadNotSigned)
				}
			})
		}
	}
}

// TestPresigned (T161): a link is valid only for the request that it was made for.
func TestPresigned(t *testing.T) {
	for _, v := range variants {
		if !v.presigned {
			continue
		}
		r := request{method: "GET", target: "/v1/items?a=1", token: "token"}
		backend, raw := v.start(t, &r), v.signed(t, r)
		l := wire.Parse(t, raw)
		signature := l.Text(l.Parameters["Signature"])
		token := "&X-Amz-Security-Token=token"
		for _, tt := range []struct {
			name, old, changed string
			want               []core.Code
		}{
			{"other host", "Host: " + host, "Host: api.example.net", []core.Code{mismatch}},
			{"other method", "GET /", "PUT /", []core.Code{mismatch}},
			{"other path", "/v1/items?", "/v1/items/?", []core.Code{mismatch}},
			{"parameter added", " HTTP/1.1", "&b=2 HTTP/1.1", []core.Code{mismatch}},
			{"value added", " HTTP/1.1", "&a=2 HTTP/1.1", []core.Code{mismatch}},
			{"parameter removed", "a=1", "", []core.Code{mismatch}},
			{"token removed", token, "", []core.Code{mismatch}},
			{"token another", token, token + "2", []core.Code{mismatch}},
			{"token moved to a header", token, "", []core.Code{notSigned, mismatch}},
			{"longer", "X-Amz-Expires=600", "X-Amz-Expires=601", []core.Code{mismatch}},
			{"validity removed", "&X-Amz-Expires=600", "", []core.Code{malformed}},
			{"validity twice", "&X-Amz-Expires=600", "&X-Amz-Expires=600&X-Amz-Expires=600", []core.Code{ambiguous}},
			{"signature twice", "&X-Amz-Signature=" + signature, "&X-Amz-Signature=" + signature + "&X-Amz-Signature=" + signature, []core.Code{ambiguous}},
			{"signature with an escape in its name", "&X-Amz-Signature=", "&X-Amz-%53ignature=", nil}, // decoded it is the same name
			{"signature removed", "&X-Amz-Signature=" + signature, "", []core.Code{malformed}},
			{"Authorization as well", "User-Agent:", "Authorization: Basic eDp5\r\nUser-Agent:", []core.Code{ambiguous}},
			{"date in a header as well", "User-Agent:", "X-Amz-Date: 20260115T120000Z\r\nUser-Agent:", []core.Code{ambiguous}},
		} {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				changed := wire.Splice(raw, tt.old, tt.changed)
				if strings.HasSuffix(tt.name, "to a header") {
					changed = wire.Splice(changed, "User-Agent:", "X-Amz-Security-Token: token\r\nUser-Agent:")
				}
				if len(tt.want) > 0 {
					backend.Refuse(t, changed, tt.want...)
				} else if answer := backend.Send(t, changed); answer.Status != 200 || len(answer.Runs) != 1 {
					t.Errorf("got %d, verdicts %q; want it accepted", answer.Status, answer.Codes)
				}
			})
		}
		t.Run(v.name+"/links not allowed", func(t *testing.T) {
			strict := v.policy(&r, v.key(&r))
			strict.AllowPresigned = false
			wire.Start(t, strict).Refuse(t, raw, core.CodeSchemeNotAccepted)
		})
	}
}

// TestRegionSet (T163): a region set with the key's region is accepted. A pattern that
// matches it is accepted only if the configuration allows patterns.
func TestRegionSet(t *testing.T) {
	for _, v := range variants {
		if !v.asymmetric {
			continue
		}
		for _, tt := range []struct {
			set          string
			strict, wild core.Code
		}{
			{region, "", ""},
			{"us-east-1," + region + ",eu-west-2", "", ""},
			{"*", mismatch, ""},
			{"eu-*", mismatch, ""},
			{"us-*", mismatch, mismatch},
			{"us-east-1", mismatch, mismatch},
		} {
			for wildcards, want := range map[bool]core.Code{false: tt.strict, true: tt.wild} {
				t.Run(v.name+"/"+tt.set, func(t *testing.T) {
					r := request{target: "/", region: tt.set}
					policy := v.policy(&r, v.key(&r))
					policy.Schemes = []core.Scheme{v.scheme(wildcards, v.key(&r))}
					if want == "" {
						wire.Start(t, policy).Accept(t, v.signed(t, r))
					} else {
						wire.Start(t, policy).Refuse(t, v.signed(t, r), want)
					}
				})
			}
		}
	}
}
