package aws_test

import (
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
)

// collisions are pairs of targets with the same canonical request, and so the same
// signature (docs/protocols.md, "SigV4 canonical request"). [wire.Collide] recognizes
// them. No other changed request may be accepted.
var collisions = []struct {
	name, why    string
	s3           bool // only with the path rule of S3
	signed, sent string
}{
	{"query escape digits", "names and values are decoded and encoded again", false, "/?q=%2Fx", "/?q=%2fx"},
	{"query letters encoded", "names and values are decoded and encoded again, and handlers see them decoded", false, "/?name=value", "/?n%61me=%76alue"},
	{"query reserved raw", "names and values are decoded and encoded again, and handlers see them decoded", false, "/?a=%2F%3A", "/?a=/:"},
	{"query space", "a handler reads + as a space", false, "/?q=a%20b", "/?q=a+b"},
	{"empty value", "the canonical query always has the equals sign", false, "/?b=", "/?b"},
	{"parameter order", "the canonical query is sorted by name", false, "/?a=1&b=2", "/?b=2&a=1"},
	{"value order", "the canonical query is sorted by name and then value", false, "/?k=1&k=2", "/?k=2&k=1"},
	{"empty piece", "an empty piece is not a parameter, neither here nor for handlers", false, "/?a=1&b=2", "/?a=1&&b=2&"},
	{"path escape digits", "RFC 3986 section 6.2.2.1: %c3 and %C3 are one; the path is decoded and encoded again", true, "/caf%C3%A9", "/caf%c3%a9"},
	{"path reserved raw", "the path is decoded and encoded again, and handlers see the decoded path", true, "/a%3Ab%40c", "/a:b@c"},
}

// TestCollisions: both requests of a pair are accepted. The second request of a pair for S3
// is refused if paths are normalized and encoded twice.
func TestCollisions(t *testing.T) {
	for _, v := range variants {
		if v.presigned || v.service == "sts" {
			continue
		}
		for _, tt := range collisions {
			t.Run(v.name+"/"+tt.name, func(t *testing.T) {
				r := request{target: tt.signed}
				backend := v.start(t, &r)
				raw := v.signed(t, r)
				backend.Accept(t, raw)
				l := wire.Parse(t, raw)
				changed := wire.Splice(raw, " "+l.Target()+" HTTP/", " "+tt.sent+" HTTP/")
				if hidden := !tt.s3 || v.service == "s3"; wire.Collide(raw, changed, wire.SigV4Path(v.paths())) != hidden {
					t.Errorf("Collide(%q, %q): got %t, want %t: %s", l.Target(), tt.sent, !hidden, hidden, tt.why)
				} else if hidden {
					backend.Accept(t, changed)
				} else {
					backend.Refuse(t, changed, changedCodes.Of("path", "")...)
				}
			})
		}
	}
}
