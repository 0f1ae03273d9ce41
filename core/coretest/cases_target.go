package coretest

import (
	"slices"
	"strings"
)

// signedFor returns P1, correctly signed with another target.
func signedFor(target string) message { return k1.sign(p1().to(target), plain) }

// changed returns a row for each target: P1 with that target and the same signature.
func changed(targets ...string) (list []row) {
	for _, target := range targets {
		list = append(list, row{"P1 changed to " + printableTarget(target), p1().to(target)})
	}
	return list
}

// correct returns a row for each target, correctly signed.
func correct(targets ...string) (list []row) {
	for _, target := range targets {
		list = append(list, row{"signed " + printableTarget(target), signedFor(target)})
	}
	return list
}

// moved returns a row for each pair: signed with the first target, sent with the second.
func moved(pairs ...[2]string) (list []row) {
	for _, p := range pairs {
		list = append(list, row{"signed " + printableTarget(p[0]) + ", sent " + printableTarget(p[1]), signedFor(p[0]).to(p[1])})
	}
	return list
}

func printableTarget(target string) string {
	return strings.NewReplacer("/", "|", "\x80", "<80>", "#", "<#>").Replace(target[:min(len(target), 40)])
}

func methodCases() []testCase {
	form := func(body string) message {
		return p2().carrying(body).set("Content-Type", "application/x-www-form-urlencoded")
	}
	override := func(name string) row { return row{"P2 with " + name, p2().with(name + ": DELETE")} }
	return slices.Concat(
		rows("T032", mismatch,
			row{"GET to POST", p1().as("POST")}, row{"GET to HEAD", p1().as("HEAD")}, row{"GET to get", p1().as("get")},
			row{"GET to PATCH", p1().as("PATCH")}, row{"GET to DELETE", p1().as("DELETE")}),
		rows("T032", byServer(400), row{"GET and two spaces", p1().as("GET ")}),
		rows("T033", notSigned,
			override("X-HTTP-Method-Override"), override("X-Method-Override"), override("X-HTTP-Method"), override("X_HTTP_Method_Override")),
		rows("T033", mismatch,
			row{"_method in a form, added", form("a=1&_method=DELETE")},
			row{"_method in the query, added", p2().to("/v1/items?a=1&b=&_method=DELETE")}),
		rows("T033", accepted, row{"X-HTTP-Method-Override signed",
			k1.sign(p2().with("X-HTTP-Method-Override: DELETE"), "host;x-http-method-override;x-sdk-date")}),
	)
}

func hostCases() []testCase {
	to := func(name string) row { return row{"Host changed to " + name, p1().set("Host", name)} }
	absolute := func(prefix string) message { return signedFor("/v1/items").to(prefix + "/v1/items") }
	return slices.Concat(
		rows("T034", mismatch, to("evil.example"), to("API.EXAMPLE.COM"), to("api.example.com:443"), to("api.example.com:80"), to("api.example.com.")),
		rows("T035", ambiguous.orServer(400),
			row{"Host empty, correctly signed", k1.sign(p1().without("Host").before("Host:"), plain)},
			row{"HTTP/1.0 without Host", k1.sign(p1().without("Host").version("HTTP/1.0"), plain)},
			row{"HTTP/1.0 without Host, which is not signed", k1.sign(p1().without("Host").version("HTTP/1.0"), "x-sdk-date")}),
		rows("T035", byServer(400),
			row{"HTTP/1.1 without Host", p1().without("Host")},
			row{"two Host lines", p1().with("Host: " + host)}),
		rows("T036", ambiguous,
			row{"absolute form of the right host", absolute("http://" + host)},
			row{"absolute form of another host", absolute("http://evil.example")},
			row{"absolute form, correctly signed", signedFor("http://" + host + "/v1/items")}),
		rows("T037", accepted, row{"headers that name another host or path", p1().with("X-Forwarded-Host: evil", "Forwarded: host=evil",
			"X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X-Forwarded-Uri: /health")}),
		rows("T037", missing, row{"headers that name an open path", p1().without("Authorization").with("X-Original-URL: /health",
			"X-Rewrite-URL: /health", "X-Forwarded-Uri: /health")}),
	)
}

func pathCases() []testCase {
	return slices.Concat(
		rows("T038", mismatch, changed("/v1/items2", "/V1/items", "/v1//items", "//v1/items", "/v1/items;a=b", "/v1", "/")...),
		rows("T038", ambiguous, changed("/v1/item%73", "/v1/./items", "/x/../v1/items")...),
		// The vendor's canonical request has a final slash for either path.
		rows("T039", accepted, changed("/v1/items/")...),
		rows("T039", mismatch, changed("/v1/items//")...),
		rows("T040", ambiguous, moved([2]string{"/v1/a/b", "/v1/a%2Fb"}, [2]string{"/v1/a/b", "/v1/a%2fb"}, [2]string{"/v1/a/b", "/v1/a%5Cb"},
			[2]string{"/v1/a%5Cb", "/v1/a%5Cb"}, [2]string{"/v1/a%2Fb", "/v1/a%2Fb"})...),
		rows("T040", mismatch, moved([2]string{"/v1/a/b", "/v1/a%252Fb"})...),
		rows("T042", mismatch, changed("/v1/items%3Fx=1", "/v1/items%23f", "/v1/items#f")...),
		rows("T043", ambiguous, correct("/v1/../admin", "/v1/%2e%2e/admin", "/v1/%2E%2E/admin", "/v1/.%2e/admin", "/.", "/..", "/v1/..", "/v1/.")...),
		rows("T043", ambiguous.bodyUnread(), row{"a dot segment, refused before the body", waitingFor(signedFor("/v1/../admin").as("POST"))}),
		rows("T043", accepted, correct("/v1/.well-known", "/v1/a..b", "/...")...),
	)
}

// waitingFor returns m with an announced large body that is not sent.
func waitingFor(m message) message {
	return m.set("Content-Length", "12000000").with("Expect: 100-continue")
}

func pathByteCases() []testCase {
	var both, encoded, unreserved []row
	for _, c := range []byte("!$&'()*+,=:@") {
		both = append(both, correct("/v1/a"+string(c)+"b", "/v1/a"+strings.ToLower(upperEscape(c))+"b")...)
		encoded = append(encoded, moved([2]string{"/v1/a" + string(c) + "b", "/v1/a" + upperEscape(c) + "b"})...)
	}
	for _, c := range []byte("~-_.a0Z") {
		unreserved = append(unreserved, correct("/v1/b"+upperEscape(c)+"b")...)
		both = append(both, correct("/v1/b"+string(c)+"b")...)
	}
	return slices.Concat(
		rows("T041", ambiguous, correct("/v1/a%0Ab", "/v1/a%0Db", "/v1/a%00b")...),
		rows("T041", ambiguous, changed("/v1/items%0A", "/v1/items%0D", "/v1/items%00")...),
		// Bytes that are not UTF-8 are signed unchanged.
		rows("T041", accepted, correct("/v1/a%7Fb", "/v1/a\x80b", "/v1/a%ffb", "/v1/a%80b")...),
		rows("T041", mismatch, changed("/v1/items%7F", "/v1/items\x80", "/v1/items%ff")...),
		rows("T041", mismatch, moved([2]string{"/v1/a%ffb", "/v1/a%EF%BF%BDb"}, [2]string{"/v1/a\x80b", "/v1/a%EF%BF%BDb"})...),
		rows("T041", byServer(400), changed("/v1/items%zz", "/v1/items%", "/v1/items\x7f", "/v1/items\x01")...),
		rows("T045", accepted, both...),
		rows("T045", accepted, encoded...),
		rows("T045", accepted, correct("/v1/a%20b", "/v1/中", "/v1/%E4%B8%AD")...),
		rows("T045", accepted, moved([2]string{"/v1/中", "/v1/%e4%b8%ad"})...),
		rows("T045", ambiguous, unreserved...),
		rows("T045", byServer(400), changed("/v1/a b")...),
	)
}

func upperEscape(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{'%', digits[c>>4], digits[c&15]})
}

func targetCases() []testCase {
	return slices.Concat(
		// net/http answers this without calling a handler.
		rows("T044", byServer(200), row{"OPTIONS *", p1().as("OPTIONS").to("*")}),
		rows("T044", ambiguous.orServer(400),
			row{"GET *", signedFor("*")},
			row{"CONNECT authority", signedFor("a:443").as("CONNECT")},
			row{"a target without a slash", p1().to("v1/items")}),
		rows("T044", byServer(400), row{"no target", p1().to("")}, row{"a query alone", p1().to("?a=1")}),
		rows("T044", ambiguous.orServer(400, 414, 431), changed("/"+strings.Repeat("z", 64<<10))...),
	)
}
