package canonical

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/authorization"
)

// Order is the order of the parameters in a canonical query.
type Order uint8

const (
	// ByDecoded sorts by decoded name, then decoded value: the vendor's Go,
	// Python, C# and Node SDKs.
	ByDecoded Order = iota
	// ByEncoded sorts by encoded name, then encoded value: the vendor's Java
	// SDK, and SigV4.
	ByEncoded
)

// A Query holds the encoded parameters of one request, ready to be written in
// either order. It is reused between requests.
type Query struct {
	plain   string // the query that text and pairs are of, where split is set
	split   bool
	text    []byte // encoded names and values
	pairs   []pair
	encoded bool // something was percent-encoded
	whole   bool // text is the canonical query but for the order of pairs
	capital bool // the name of some parameter begins with 'X', where split is set
}

// text[start:name] is the name, text[value:end] the value.
type pair struct{ start, name, value, end int }

// Parse reads a raw query: split at '&', empty pieces skipped, a missing '='
// is an empty value, percent sequences and '+' (a space, as handlers read it)
// decoded and everything encoded again. The query must have passed
// [CheckTarget].
func (q *Query) Parse(query string) error {
	if q.splitPlain(query, len(query)) {
		return nil
	}
	q.forget()
	for i := 0; i < len(query); {
		if query[i] == '&' {
			i++
			continue
		}
		p := pair{start: len(q.text), name: -1}
		for ; i < len(query) && query[i] != '&'; i++ {
			b := query[i]
			switch b {
			case '=':
				if p.name < 0 {
					p.name, p.value = len(q.text), len(q.text)
					continue
				}
			case '+':
				b = ' '
			case '%':
				var ok bool
				if b, ok = unhex(query, i); !ok {
					return ErrQueryEscape
				}
				i += 2
			}
			if unreserved[b] {
				q.text = append(q.text, b)
				continue
			}
			q.text, q.encoded = appendByte(q.text, b), true
		}
		p.end = len(q.text)
		if p.name < 0 {
			p.name, p.value = p.end, p.end
		}
		q.pairs = append(q.pairs, p)
	}
	return nil
}

// read is Parse for a query that may have been split already.
func (q *Query) read(query string) error {
	if q.split && q.plain == query {
		return nil
	}
	return q.Parse(query)
}

func (q *Query) forget() {
	q.plain, q.split, q.whole, q.capital = "", false, false, false
	q.text, q.pairs, q.encoded = q.text[:0], q.pairs[:0], false
}

// splitPlain finds the parameters of a plain query: one in which every byte
// stands for itself, as in most. It reports false for others, which includes those
// with a '=' in a value, and for more parameters than most.
func (q *Query) splitPlain(query string, most int) bool {
	q.forget()
	pairs, whole, capital := q.pairs, true, false
	for i := 0; i < len(query); i++ {
		p := pair{start: i, name: plainEnd(query, i)}
		p.value, p.end = p.name, p.name
		if p.name < len(query) && query[p.name] == '=' {
			p.value = p.name + 1
			p.end = plainEnd(query, p.value)
		}
		i = p.end
		if i < len(query) && query[i] != '&' {
			return false
		}
		whole = whole && p.value > p.name && i != len(query)-1
		if i == p.start {
			continue
		}
		if len(pairs) == most {
			return false
		}
		capital = capital || query[p.start] == 'X'
		pairs = append(pairs, p)
	}
	q.text = append(q.text, query...)
	q.pairs, q.whole, q.capital = pairs, whole, capital
	q.plain, q.split = query, true
	return true
}

// plainEnd returns where the unreserved characters of s from start on end.
func plainEnd(s string, start int) int {
	for start < len(s) && unreserved[s[start]] {
		start++
	}
	return start
}

// checkNames refuses parameters without a name.
func (q *Query) checkNames() error {
	for _, p := range q.pairs {
		if p.name == p.start {
			return ErrQueryName
		}
	}
	return nil
}

// Append appends the canonical query, name=value joined with '&', in the
// given order.
func (q *Query) Append(dst []byte, order Order) []byte {
	q.sort(order)
	if q.whole {
		return append(dst, q.text...)
	}
	for i, p := range q.pairs {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, q.text[p.start:p.name]...)
		dst = append(dst, '=')
		dst = append(dst, q.text[p.value:p.end]...)
	}
	return dst
}

// Differs reports whether the two orders give different queries.
func (q *Query) Differs() bool {
	if !q.encoded {
		return false
	}
	q.sort(ByDecoded)
	return !q.isSorted(ByEncoded)
}

func (q *Query) sort(order Order) {
	if !q.isSorted(order) {
		q.whole = false
		slices.SortFunc(q.pairs, func(a, b pair) int { return q.compare(&a, &b, order) })
	}
}

func (q *Query) isSorted(order Order) bool {
	for i := 1; i < len(q.pairs); i++ {
		if q.compare(&q.pairs[i-1], &q.pairs[i], order) > 0 {
			return false
		}
	}
	return true
}

func (q *Query) compare(a, b *pair, order Order) int {
	compare := bytes.Compare
	if order == ByDecoded && q.encoded {
		compare = compareDecoded
	} else if a.name > a.start && b.name > b.start && q.text[a.start] != q.text[b.start] {
		return int(q.text[a.start]) - int(q.text[b.start]) // most names differ there already
	}
	if c := compare(q.text[a.start:a.name], q.text[b.start:b.name]); c != 0 {
		return c
	}
	return compare(q.text[a.value:a.end], q.text[b.value:b.end])
}

// compareDecoded compares the bytes that two encoded texts stand for.
func compareDecoded(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		var x, y byte
		x, a = next(a)
		y, b = next(b)
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func next(s []byte) (byte, []byte) {
	if s[0] == '%' {
		return fromHex[s[1]]<<4 | fromHex[s[2]], s[3:]
	}
	return s[0], s[1:]
}

// hasParameter is [HasParameter] for a query that may have been split already.
func (q *Query) hasParameter(query string, names []string) bool {
	if q.split && q.plain == query && !q.capital {
		return false
	}
	return HasParameter(query, names...)
}

// HasParameter reports whether a raw query has a parameter whose decoded name
// is one of names, letter by letter; they all start with 'X'. The query must have
// passed [CheckTarget].
func HasParameter(query string, names ...string) bool {
	if strings.IndexByte(query, 'X') < 0 && strings.IndexByte(query, '%') < 0 {
		return false
	}
	for rest, more := query, query != ""; more; {
		var piece string
		piece, rest, more = authorization.CutByte(rest, '&')
		for _, name := range names {
			if len(piece) >= len(name) && (piece[0] == name[0] || piece[0] == '%') && isNamed(piece, name) {
				return true
			}
		}
	}
	return false
}

// isNamed reports whether the decoded name of a parameter is name.
func isNamed(piece, name string) bool {
	i, j := 0, 0
	for ; i < len(piece) && piece[i] != '=' && j < len(name); i, j = i+1, j+1 {
		b := piece[i]
		switch b {
		case '+':
			b = ' '
		case '%':
			var ok bool
			if b, ok = unhex(piece, i); !ok {
				return false
			}
			i += 2
		}
		if b != name[j] {
			return false
		}
	}
	return j == len(name) && (i == len(piece) || piece[i] == '=')
}
