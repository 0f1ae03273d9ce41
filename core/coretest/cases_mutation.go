package coretest

import (
	"bytes"
	"strings"
)

// Every byte of P1 and P2 replaced by three others. The verifier or net/http must refuse
// every mutant, except those that are the same request:
//
//   - a letter of a field name in the other case (RFC 9110 section 5.1);
//   - spaces and tabs around a field value, around the commas of the
//     credential, and after its token (section 5.5; a CR in front of a LF may
//     become one of them, since a LF alone also ends a line,
//     RFC 9112 section 2.2);
//   - the minor version, which belongs to the connection and not to the request.
func mutationCases() []testCase {
	return []testCase{
		{name: "T141 every byte of P1", script: func(b *bench) { mutate(b, p1()) }},
		{name: "T141 every byte of P2", script: func(b *bench) { mutate(b, p2()) }},
	}
}

// filler follows every mutated request, so that the server does not wait for the end of the
// headers or of a longer body. It contains no request.
var filler = strings.Repeat("!\r\n\r\n", 40)

func mutate(b *bench, m message) {
	b.Helper()
	original := m.bytes()
	var allowed int
	for i, c := range original {
		for _, replacement := range [...]byte{c ^ 0x01, c ^ 0x20, ' '} {
			if replacement == c {
				replacement = '\t'
			}
			mutated := bytes.Clone(original)
			mutated[i] = replacement
			a := b.exchange(message{raw: string(mutated) + filler})
			b.settle()
			seen, events := b.app.seen.take(), b.events.take()
			if len(seen) == 0 && a.status >= 400 && a.status != 503 || len(seen)+len(events)+a.status == 0 {
				continue // refused
			}
			if !sameRequest(original, i, replacement) {
				b.Errorf("byte %d, %q for %q, in %q: got status %d, handler ran %d times; want it refused",
					i, replacement, c, around(mutated, i), a.status, len(seen))
				continue
			}
			allowed++
			for _, s := range seen {
				b.checkSight(s, m, accepted)
			}
		}
	}
	// If there were no exceptions, everything might be refused for a fault of the suite.
	if share := len(original) * 3 / 5; allowed == 0 || allowed > share {
		b.Errorf("%d mutants are the same request, want at least one and at most %d", allowed, share)
	}
}

// sameRequest reports whether the request is the same after replacing byte i.
func sameRequest(original []byte, i int, replacement byte) bool {
	c := original[i]
	start := bytes.LastIndexByte(original[:i], '\n') + 1
	end := i + max(0, bytes.IndexByte(original[i:], '\n'))
	line := original[start:end]
	blank := func(c byte) bool { return c == ' ' || c == '\t' }
	switch {
	case start == 0:
		return bytes.HasSuffix(original[:i+1], []byte("HTTP/1.1")) && replacement == '0'
	case c == '\r':
		return blank(replacement)
	case blank(c):
		return blank(replacement)
	}
	return i-start < bytes.IndexByte(line, ':') && c^0x20 == replacement && ('a' <= c|0x20 && c|0x20 <= 'z')
}

// around returns the line of byte i.
func around(text []byte, i int) []byte {
	return text[max(0, i-20):min(len(text), i+20)]
}
