package config

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// The parser takes time and memory that grow with the square of the depth and
// of the number of fields of a block mapping: a file of 1 MiB can keep it busy
// for minutes. What an environments file does not need is refused before it.
const (
	maxTokens = 400_000
	maxDepth  = 32
	maxFields = 1000 // of one mapping written as a block
	maxEmpty  = 5000 // list items without a value
)

// checkTokens refuses files that the parser would not get through, and parts
// of YAML that the format does not have.
func checkTokens(tokens token.Tokens, r *report) bool {
	before := len(r.problems)
	var s shape
	for i, tk := range tokens {
		rule := s.see(tk)
		if i >= maxTokens {
			rule = "the file has too many parts"
		}
		switch {
		case rule == "" && tk.Type == token.TagType:
			r.add(mark{line: tk.Position.Line}, "tags are not supported; a text that starts with ! needs quotes")
		case rule == "" && tk.Type == token.DirectiveType:
			r.add(mark{line: tk.Position.Line}, "directives are not supported; a text that starts with % needs quotes")
		case rule == "" && tk.Type == token.MappingKeyType:
			r.add(mark{line: tk.Position.Line}, "keys after ? are not supported")
		case rule != "":
			r.add(mark{line: tk.Position.Line}, rule)
			return false // nothing behind it is worth the time
		}
	}
	return len(r.problems) == before
}

// shape follows the nesting of the tokens, closely enough to bound it.
type shape struct {
	blocks []block
	flow   int
	line   int
	start  int // column at which the current line, or list item, starts
	last   *token.Token
	empty  int
	docs   int
}

type block struct{ column, fields int }

// see takes the next token and returns the bound it exceeds, if any.
func (s *shape) see(tk *token.Token) string {
	at := tk.Position
	if at.Line != s.line || s.last != nil && s.last.Type == token.SequenceEntryType {
		s.line, s.start = at.Line, at.Column
	}
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		s.flow++
	case token.SequenceEndType, token.MappingEndType:
		s.flow = max(0, s.flow-1)
	case token.SequenceEntryType:
		if s.last != nil && s.last.Type == token.SequenceEntryType && s.last.Position.Line != at.Line {
			s.empty++
		}
		s.open(at.Column, false)
	case token.MappingValueType:
		if s.flow == 0 {
			s.open(s.start, true)
		}
	case token.DocumentHeaderType, token.DocumentEndType:
		if s.docs++; s.docs > 2 {
			return "a second YAML document; the file is one document"
		}
	}
	s.last = tk
	switch {
	case len(s.blocks)+s.flow > maxDepth:
		return fmt.Sprintf("nested more than %d deep", maxDepth)
	case len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].fields > maxFields:
		return fmt.Sprintf("more than %d fields in one mapping", maxFields)
	case s.empty > maxEmpty:
		return "too many list items without a value"
	}
	return ""
}

// open notes that a list item or a field starts at a column.
func (s *shape) open(column int, field bool) {
	for len(s.blocks) > 0 && s.blocks[len(s.blocks)-1].column > column {
		s.blocks = s.blocks[:len(s.blocks)-1]
	}
	if len(s.blocks) == 0 || s.blocks[len(s.blocks)-1].column < column {
		s.blocks = append(s.blocks, block{column: column})
	}
	if field {
		s.blocks[len(s.blocks)-1].fields++
	}
}
