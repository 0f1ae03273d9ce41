package main

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// collisions returns the collisions of a file: requests that differ and have one canonical
// request, and so one signature (docs/protocols.md, "What the SDK schemes cannot tell apart",
// "What SigV4 cannot tell apart").
func collisions(f *file) (list []vectors.Collision, err error) {
	rows := slices.Concat(queryCollisions(), headerCollisions())
	switch {
	case f.algorithm == nil:
		return nil, nil
	case f.algorithm.prefix == "X-Amz-":
		rows = slices.Concat(rows, awsCollisions(f.keys))
	default:
		rows = slices.Concat(rows, sdkCollisions())
	}
	if f.name == "aksk" || f.algorithm.prefix == "X-Amz-" {
		rows = slices.Concat(rows, blankCollisions())
	}
	for _, r := range rows {
		c, err := r.collision(f)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// collision returns the request as it was signed, and as it is sent with the same signature.
// The code of the row is that of the second.
func (r row) collision(f *file) (vectors.Collision, error) {
	signed, sent := r, r
	signed.sent, signed.code = nil, ""
	first, err := signed.vector(f)
	if err != nil {
		return vectors.Collision{}, err
	}
	sent.code = "" // vector computes the canonical request of accepted requests
	second, err := sent.vector(f)
	switch {
	case err != nil:
		return vectors.Collision{}, err
	case first.CanonicalRequest != second.CanonicalRequest || first.StringToSign != second.StringToSign:
		return vectors.Collision{}, fmt.Errorf("%s: %s: the canonical requests differ:\n%s\n%s", f.name, r.name, first.CanonicalRequest, second.CanonicalRequest)
	case bytes.Equal(first.Request, second.Request):
		return vectors.Collision{}, fmt.Errorf("%s: %s: the requests do not differ", f.name, r.name)
	}
	return vectors.Collision{Name: r.name, Comment: r.comment, At: first.At, Key: first.Key,
		Requests:         []vectors.Colliding{{Request: first.Request}, {Request: second.Request, Code: r.code}},
		CanonicalRequest: first.CanonicalRequest, StringToSign: first.StringToSign}, nil
}

// same returns a collision of two requests that are accepted; hidden returns one whose
// second request is refused, because others read the two as different requests.
func same(name, why string, signed, sent change) row {
	return row{name: name, comment: why, signed: []change{signed}, sent: []change{sent}}
}

func hidden(name, why string, signed, sent change) row {
	r := same(name, why, signed, sent)
	r.code = core.CodeRequestAmbiguous
	return r
}

func targets(row func(name, why string, signed, sent change) row, name, why, signed, sent string) row {
	return row(name, why, target(signed), target(sent))
}

func queryCollisions() []row {
	const decoded = "Handlers read names and values decoded."
	return []row{
		targets(same, "query-order", "The canonical query is sorted. Handlers that read names see no difference.", "/v1/items?a=1&b=2", "/v1/items?b=2&a=1"),
		targets(same, "query-order-of-values", "The canonical query is sorted by name and value. A handler that takes the first value reads another one.", "/v1/items?k=1&k=2", "/v1/items?k=2&k=1"),
		targets(same, "query-without-equals-sign", "The canonical query always has the equals sign.", "/v1/items?b=", "/v1/items?b"),
		targets(same, "query-with-a-plus", "A plus is a space.", "/v1/items?q=a%20b", "/v1/items?q=a+b"),
		targets(same, "query-escape-digits", "RFC 3986, section 6.2.2.1.", "/v1/items?q=%2Fx", "/v1/items?q=%2fx"),
		targets(same, "query-letters-encoded", decoded, "/v1/items?name=value", "/v1/items?n%61me=%76alue"),
		targets(same, "query-reserved-characters-raw", decoded, "/v1/items?q=%2F%3A", "/v1/items?q=/:"),
		targets(same, "query-with-empty-pieces", "An empty piece is no parameter.", "/v1/items?a=1&b=2", "/v1/items?a=1&&b=2&"),
		targets(same, "query-empty", "An empty query is no query.", "/v1/items", "/v1/items?"),
		targets(hidden, "query-with-a-raw-semicolon", "Old servers separate parameters at a semicolon, where others read one value.", "/v1/items?a=1%3Bb", "/v1/items?a=1;b"),
	}
}

func headerCollisions() []row {
	note := all(header("X-Note: a"), signs("x-note"))
	return []row{
		same("header-name-in-another-case", "Names of headers have no case.", note, set("x-NOTE: a")),
		same("header-with-blanks-around-its-value", "Blanks around a value do not belong to it (RFC 9110, section 5.5).", note, set("X-Note: \t a  ")),
		same("headers-in-another-order", "The list has the order of the canonical request.", note, reversed),
		same("body-in-chunks", "The hash is that of the body without HTTP's framing.", all(posted), inChunks(4)),
		hidden("header-twin-with-underscores", "CGI and servers that follow it write both names alike.", all(header("X-Note-A: a"), signs("x-note-a")), header("X_Note_A: b")),
		hidden("signed-header-of-the-connection", "A proxy removes the headers that Connection names.", note, header("Connection: x-note")),
	}
}

func sdkCollisions() []row {
	return []row{
		targets(same, "path-with-a-final-slash", "The canonical path always ends with a slash. Routers may serve the two by different handlers.", "/v1/items", "/v1/items/"),
		targets(same, "path-escape-digits", "RFC 3986, section 6.2.2.1.", "/v1/caf%C3%A9", "/v1/caf%c3%a9"),
		targets(same, "path-reserved-characters-encoded", "Segments are decoded and encoded again. Handlers read them decoded.", "/v1/a:b@c", "/v1/a%3Ab%40c"),
		targets(hidden, "path-letters-encoded", "A router that does not decode takes another route.", "/v1/items", "/v1/%69tems"),
		targets(hidden, "path-backslash-encoded", "Some servers take a backslash for a slash.", `/v1/a\b`, "/v1/a%5Cb"),
		same("header-lines-in-another-order", "The values of a header are sorted. A handler that takes the first value reads another one.",
			all(header("X-Tag: a", "X-Tag: b"), signs("x-tag")), reversed),
	}
}

func awsCollisions(keys []vectors.Key) []row {
	const normal = "Normalising removes what a router can see."
	return []row{
		targets(hidden, "path-with-two-slashes", normal, "/v1/items", "/v1//items"),
		targets(hidden, "path-with-a-dot-segment", normal, "/v1/items", "/v1/./items"),
		targets(hidden, "path-with-two-dots", normal, "/v1/items", "/v1/x/../items"),
		targets(hidden, "path-that-climbs-above-the-root", normal, "/v1/items", "/../v1/items"),
		same("header-lines-joined", "Lines of a header and a list mean the same (RFC 9110, section 5.3).",
			all(header("X-Tag: a", "X-Tag: b"), signs("x-tag")), all(without("X-Tag"), header("X-Tag: a,b"))),
		targets(same, "s3-path-escape-digits", "RFC 3986, section 6.2.2.1.", "/bucket/caf%C3%A9", "/bucket/caf%c3%a9").by(keys[objects]),
		targets(same, "s3-path-reserved-characters-raw", "Segments are decoded and encoded again. Handlers read them decoded.", "/bucket/a%3Ab", "/bucket/a:b").by(keys[objects]),
		targets(hidden, "s3-path-letters-encoded", "A router that does not decode takes another route.", "/bucket/a", "/bucket/%61").by(keys[objects]),
	}
}

func blankCollisions() []row {
	note := all(header("X-Note: a b"), signs("x-note"))
	return []row{
		same("header-with-several-blanks", "Runs of blanks are collapsed.", note, set("X-Note: a   b")),
		same("header-with-a-tab", "A run of blanks can be of tabs.", note, set("X-Note: a\tb")),
	}
}
