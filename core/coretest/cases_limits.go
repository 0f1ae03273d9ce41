package coretest

import (
	"fmt"
	"slices"
	"strings"
)

// numbered returns the names of n headers, in order.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("a%04d", i)
	}
	return names
}

// crowded returns P1 with n more header lines.
func crowded(n int) message {
	lines := numbered(n)
	for i := range lines {
		lines[i] += ": 1"
	}
	return p1().with(lines...)
}

// signing returns P1 with n more headers, all of them signed.
func signing(n int) message {
	return k1.sign(crowded(n), strings.Join(append(numbered(n), "host", "x-sdk-date"), ";"))
}

// repeating is like signing, with many values of each header. Its signature is wrong,
// because computing a right one would take long.
func repeating(n, values int) message {
	m := authorized(hmacFields(k1.id, strings.Join(append(numbered(n), "host", "x-sdk-date"), ";"), p1Signature))
	for _, name := range numbered(n) {
		m.lines = append(m.lines, slices.Repeat([]string{name + ":1"}, values)...)
	}
	return m
}

// parameters returns P1, signed with a query of n parameters.
func parameters(n int) message {
	pieces := make([]string, n)
	for i := range pieces {
		pieces[i] = fmt.Sprintf("p%d=%d", i, i)
	}
	return signedFor("/v1/items?" + strings.Join(pieces, "&"))
}

// padded returns P1 with an Authorization of n bytes; the padding is spaces after a comma.
func padded(n int) message {
	value := p1().value("Authorization")
	return authorized(strings.Replace(value, ", ", ","+strings.Repeat(" ", n-len(value)+1), 1))
}

func limitCases() []testCase {
	list := func(text string) message { return authorized(hmacFields(k1.id, text, p1Signature)) }
	return slices.Concat(
		rows("T134", accepted,
			row{"as many header lines as the limit allows", crowded(254)},
			row{"64 signed headers", signing(62)},
			row{"an Authorization of 8192 bytes", padded(8192)}),
		rows("T134", ambiguous.bodyUnread(),
			row{"one header line more", crowded(255)},
			row{"ten thousand header lines", crowded(10_000)},
			row{"two hundred thousand lines of one header", p1().with(slices.Repeat([]string{"a:b"}, 200_000)...)}),
		rows("T134", malformed.bodyUnread(),
			row{"65 signed headers", signing(63)},
			row{"an Authorization of 8193 bytes", padded(8193)},
			row{"four hundred thousand signed headers", list(strings.Repeat("a;", 400_000))}),
		rows("T135", ambiguous, row{"64 signed headers of ten thousand values each", repeating(62, 10_000)}),
		rows("T136", accepted, row{"1024 parameters", parameters(1024)}),
		rows("T136", ambiguous,
			row{"1025 parameters", parameters(1025)},
			row{"9999 parameters", parameters(9999)},
			row{"a million bytes of parameters", p1().to("/v1/items?" + strings.Repeat("a&", 500_000))}),
		[]testCase{{name: "T134 refusing a request that is too long allocates little memory", script: func(b *bench) {
			for name, m := range map[string]message{
				"header lines": crowded(10_000), "signed headers": list(strings.Repeat("a;", 400_000)), "Authorization": padded(1 << 20),
				"values": repeating(62, 10_000), "parameters": parameters(9999), "a long query": p1().to("/v1/items?" + strings.Repeat("a&", 500_000)),
			} {
				r := receive(m)
				before := totalAllocated()
				_, err := b.verifier.Verify(r)
				if allocated := totalAllocated() - before; err == nil || allocated > 1<<20 {
					b.Errorf("%s: got error %v, %d bytes allocated; want a refusal and at most %d", name, err, allocated, 1<<20)
				}
			}
		}}},
		rows("T136", ambiguous, row{"a parameter of a million bytes", p1().to("/v1/items?a=" + strings.Repeat("x", 1_000_000))}),
	)
}
