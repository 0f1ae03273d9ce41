package coretest

import "slices"

// queried returns P1 signed with one query and sent with another.
func queried(signed, sent string) row {
	return row{"signed ?" + signed + ", sent ?" + sent, signedFor("/v1/items?" + signed).to("/v1/items?" + sent)}
}

// requeried returns P2 with other queries and the same signature.
func requeried(queries ...string) (list []row) {
	for _, query := range queries {
		list = append(list, row{"P2 changed to ?" + query, p2().to("/v1/items?" + query)})
	}
	return list
}

func queryCases() []testCase {
	return slices.Concat(
		rows("T046", mismatch, changed("/v1/items?admin=1", "/v1/items?admin")...),
		rows("T046", mismatch, requeried("a=1&b=&admin=1")...),
		// Empty pieces are not parameters, neither here nor for handlers.
		rows("T046", accepted, changed("/v1/items?", "/v1/items?&")...),
		rows("T046", accepted, requeried("a=1&b=&", "a=1&&b=", "&a=1&b=")...),
		rows("T047", mismatch, requeried("a=1", "a=2&b=", "A=1&b=", "a=1&b=&b=", "a=1&b=1", "a=1&b==", "a=1&b=%20", "", "b=")...),
		rows("T047", mismatch, row{"P2 without its query", p2().to("/v1/items")}),
		rows("T048", accepted, requeried("b=&a=1")...),
		// The vendor's canonical request sorts the values of a parameter.
		rows("T049", accepted, queried("k=1&k=2", "k=2&k=1")),
		rows("T050", ambiguous, requeried("a=1&b=&role=admin;x=1", "a=1&b=;role=admin", "a=1;b=")...),
		rows("T050", ambiguous, queried("a=1;b=2", "a=1;b=2")),
		rows("T050", accepted, queried("a=1%3Bb", "a=1%3Bb")),
		rows("T051", ambiguous, requeried("a=1&b=&x=%zz", "a=1&b=&x=%", "a=1&b=&x=%2", "a=1&b=&%=1", "a=1&b=&=1", "a=1&b=&=")...),
		rows("T051", ambiguous, queried("a=%zz", "a=%zz"), queried("=1", "=1")),
		rows("T052", accepted, queried("q=a%20b", "q=a+b"), queried("q=a%20b", "q=a%20b"), queried("q=a%2Bb", "q=a%2Bb"), queried("q=%61", "q=a")),
		rows("T052", mismatch, queried("q=a%20b", "q=a%2Bb"), queried("q=a%2Bb", "q=a+b")),
		// It does not distinguish an empty value from no value.
		rows("T053", accepted, queried("b=", "b"), queried("b", "b=")),
		rows("T054", accepted, queried("Action=A&action=B", "Action=A&action=B")),
		rows("T054", mismatch, queried("Action=A&action=B", "Action=B&action=A")),
	)
}
