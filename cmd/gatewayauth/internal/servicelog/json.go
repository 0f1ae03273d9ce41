package servicelog

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// A node is a value of JSON, with its members in order, those that stand twice
// included: slog writes them so.
type node struct {
	text    string // of a scalar
	scalar  bool
	quoted  bool // a string
	null    bool
	members []member
	items   []node
}

type member struct {
	name  string
	value node
}

// maxNesting bounds the values inside values.
const maxNesting = 100

var errNesting = errors.New("the values are nested too deeply")

// decode reads the value that a text starts with, and returns its length.
func decode(text string) (n node, length int, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, err = read(d, 0)
	return n, int(d.InputOffset()), err
}

// incomplete reports whether a text ended within its value.
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
		_, err = d.Token() // the end, or what is wrong with it
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

// bytesOf returns the text that is written as a list of its bytes, as journald does
// with what holds other than printable characters.
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
