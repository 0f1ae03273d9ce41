package servicelog

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// A node is a JSON value. It keeps the order of members, and members with the same name,
// because slog writes such objects.
type node struct {
	text    string // the text of a scalar
	scalar  bool
	quoted  bool // the value is a string
	null    bool
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

// maxNesting is the largest depth of nested values.
const maxNesting = 100

var errNesting = errors.New("the values are nested too deeply")

// decode parses the value at the start of a text, and returns its length.
func decode(text string) (n node, length int, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, err = read(d, 0)
	return n, int(d.InputOffset()), err
}

// incomplete reports whether the text ended within a value.
func incomplete(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func read(d *json.Decoder, depth int) (n node, err error) {
	if depth > maxNesting {
		return n, errNesting
	}
	token, err := d.Token()
	if err != nil {
		return n, err
	}
	switch token := token.(type) {
	case json.Delim:
		for d.More() {
			var m member
			if token == '{' {
				name, err := d.Token()
				if err != nil {
					return n, err
				}
				m.name = name.(string)
			}
			if m.value, err = read(d, depth+1); err != nil {
				return n, err
			}
			if token == '{' {
				n.members = append(n.members, m)
			} else {
				n.items = append(n.items, m.value)
			}
		}
		_, err = d.Token() // the closing delimiter, or a syntax error
		return n, err
	case string:
		return node{text: token, scalar: true, quoted: true}, nil
	case json.Number:
		return node{text: token.String(), scalar: true}, nil
	case bool:
		return node{text: map[bool]string{true: "true", false: "false"}[token], scalar: true}, nil
	}
	return node{null: true}, nil
}

// bytesOf returns the text of a list of bytes, as journald writes a text with characters
// that are not printable.
func (n node) bytesOf() (string, bool) {
	var b strings.Builder
	for _, item := range n.items {
		var c byte
		if item.quoted || !item.scalar || json.Unmarshal([]byte(item.text), &c) != nil {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), b.Len() > 0
}
