package main

import (
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

func coverageRows(a *algorithm) []row {
	const notSigned = core.CodeHeaderNotSigned
	more := strings.ToLower(dateAndMore(a))
	undated := "host" + strings.TrimPrefix(more, strings.ToLower(a.dateHeader()))
	return []row{
		odd("host-not-signed", notSigned, lists(more)),
		odd("date-not-signed", notSigned, lists(undated)),
		odd("list-empty", notSigned, lists("")),
		tampered("protocol-header-added", notSigned, header(a.prefix+"Foo: 1")),
		accepted("protocol-header-of-the-other-vendor-added").sending(header(otherPrefix(a) + "Foo: 1")).
			note("To this scheme it is a header like any other."),
		tampered("method-override-added", notSigned, header("X-HTTP-Method-Override: DELETE")),
		accepted("method-override-signed", header("X-HTTP-Method-Override: DELETE"), signs("x-http-method-override")).once(),
		odd("list-names-an-absent-header", notSigned, signs("x-role")),
		odd("list-names-authorization", notSigned, signs("authorization")).once(),
		odd("list-names-connection", notSigned, header("Connection: keep-alive"), signs("connection")).once(),
		odd("required-header-not-signed", notSigned, header("X-Role: user")).under(vectors.Policy{RequireSigned: []string{"host", "x-role"}}),
	}
}

func otherPrefix(a *algorithm) string {
	if a.prefix == "X-Sdk-" {
		return "X-Amz-"
	}
	return "X-Sdk-"
}

func authorizationRows(a *algorithm) []row {
	const (
		malformed = core.CodeCredentialMalformed
		other     = core.CodeSchemeNotAccepted
	)
	cut := func(name string) change { // removes one field
		return func(d *draft) {
			token, fields, _ := strings.Cut(d.authorization, " ")
			var kept []string
			for _, field := range strings.Split(fields, ", ") {
				if !strings.HasPrefix(field, name+"=") {
					kept = append(kept, field)
				}
			}
			d.authorization = token + " " + strings.Join(kept, ", ")
		}
	}
	token := func(name string) change {
		return func(d *draft) { replace(d.token+" ", name+" ")(d) }
	}
	edited := func(edit func(string) string) change {
		return signature(func(d *draft) string { return edit(d.signature) })
	}
	rows := []row{
		tampered("authorization-absent", core.CodeCredentialMissing, authorization("")),
		tampered("authorization-empty", malformed, authorization(" ")),
		tampered("authorization-token-alone", malformed, func(d *draft) { d.authorization = d.token }),
		tampered("authorization-commas-alone", malformed, func(d *draft) { d.authorization = d.token + " ,,," }).once(),
		tampered("authorization-bearer", other, authorization("Bearer abc")).once(),
		tampered("authorization-basic", other, authorization(basicAuthorization("basicuser:basic-pass"))),
		tampered("algorithm-unknown", other, token("SDK-HMAC-SHA1")),
		tampered("algorithm-in-lower-case", other, func(d *draft) { token(strings.ToLower(d.token))(d) }),
		tampered("algorithm-none", other, token("none")).once(),
		tampered("signature-absent", malformed, cut("Signature")),
		tampered("list-absent", malformed, cut("SignedHeaders")),
		tampered("signature-empty", malformed, edited(func(string) string { return "" })),
		tampered("signature-of-an-odd-length", malformed, edited(func(s string) string { return s[:len(s)-1] })),
		tampered("signature-in-upper-case", malformed, edited(strings.ToUpper)),
		tampered("signature-not-hexadecimal", malformed, edited(func(s string) string { return "g" + s[1:] })),
		tampered("signature-quoted", malformed, edited(func(s string) string { return `"` + s + `"` })).once(),
		tampered("field-unknown", malformed, func(d *draft) { d.authorization += ", Foo=bar" }),
		tampered("field-repeated", malformed, func(d *draft) { d.authorization += ", Signature=" + d.signature }),
		tampered("list-repeated", malformed, func(d *draft) { d.authorization += ", SignedHeaders=" + d.list }).once(),
		tampered("fields-joined-by-semicolons", malformed, func(d *draft) {
			d.authorization = strings.ReplaceAll(d.authorization, ", ", "; ")
		}).once(),
		odd("list-not-sorted", malformed, lists(strings.ToLower(dateAndMore(a))+";host")),
		odd("list-in-upper-case", malformed, lists("Host;"+strings.ToLower(dateAndMore(a)))),
		odd("list-with-a-name-twice", malformed, lists("host;host;"+strings.ToLower(dateAndMore(a)))),
		odd("list-with-an-empty-name", malformed, lists("host;;"+strings.ToLower(dateAndMore(a)))).once(),
		odd("list-too-long", malformed, manySigned).once().note("65 signed headers; the limit is 64."),
		tampered("authorization-too-long", malformed, func(d *draft) {
			d.authorization = strings.Replace(d.authorization, " ", strings.Repeat(" ", 8192), 1)
		}).once().note("More than 8192 bytes."),
	}
	if a.tokenHeader != "" {
		rows = append(rows, tampered("credential-absent", malformed, cut(a.field)))
	}
	return rows
}

// manySigned signs more headers than a list may have.
func manySigned(d *draft) {
	for i := range 65 {
		name := "a" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		header(name + ": 1")(d)
		signs(name)(d)
	}
}

func formRows(a *algorithm) []row {
	const ambiguous = core.CodeRequestAmbiguous
	return []row{
		tampered("authorization-twice", ambiguous, func(d *draft) { header("Authorization: " + d.authorization)(d) }),
		tampered("date-twice", ambiguous, header(a.dateHeader()+": "+today)),
		tampered("date-with-underscores", ambiguous, header(strings.ReplaceAll(a.dateHeader(), "-", "_")+": "+today)),
		tampered("signed-header-with-underscores", ambiguous, header("X_Role: admin")).signing(header("X-Role: user"), signs("x-role")),
		tampered("connection-names-a-signed-header", ambiguous, header("Connection: close, X-Role")).signing(header("X-Role: user"), signs("x-role")),
		tampered("target-in-absolute-form", ambiguous, target("http://"+apiHost+"/v1/items")),
		tampered("query-with-a-semicolon", ambiguous, target("/v1/items?a=1&b=;admin=1")).post(),
		tampered("query-with-a-bad-escape", ambiguous, target("/v1/items?a=1&b=%zz")).post(),
		tampered("query-with-an-empty-name", ambiguous, target("/v1/items?a=1&b=&=1")).post(),
		odd("query-too-long", ambiguous, target("/v1/items?"+strings.Repeat("a&", 1024)+"a")).once().note("1025 parameters; the limit is 1024."),
		odd("path-with-nul", ambiguous, target("/v1/a%00b")).once(),
		odd("path-with-lf", ambiguous, target("/v1/a%0Ab")),
		odd("path-with-a-dot-segment", ambiguous, target("/v1/./items")),
		odd("path-with-two-dots", ambiguous, target("/v1/x/../items")),
		tampered("credential-in-the-query-as-well", ambiguous, target("/v1/items?"+a.prefix+"Signature=00")),
	}
}
