package envfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Node is a value of the file as it is written, with its place. Aliases and <<
// are resolved.
type Node struct {
	Line   int
	Path   string // such as environments.RELEASE.keys[0].secret
	Text   string // of a scalar
	Scalar bool
	Items  []*Node // of a list
	fields []field // of a mapping, in the order of the file
}

type field struct {
	name  string
	value *Node
}

// Field returns a field of a mapping, nil where there is none. It may be called
// on nil.
func (n *Node) Field(name string) *Node {
	if n == nil {
		return nil
	}
	for _, f := range n.fields {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

// Value returns the text of a scalar field, "" where there is none.
func (n *Node) Value(name string) string {
	if v := n.Field(name); v != nil {
		return v.Text
	}
	return ""
}

// List returns the items of a field.
func (n *Node) List(name string) []*Node {
	if v := n.Field(name); v != nil {
		return v.Items
	}
	return nil
}

// maxNodes bounds what aliases expand to, as package config does.
const maxNodes = 400_000

// parse reads the text of a file.
func parse(data []byte) (root *Node, err error) {
	defer func() {
		if recover() != nil {
			root, err = nil, errors.New("this cannot be parsed as YAML")
		}
	}()
	file, err := parser.ParseBytes([]byte(strings.TrimPrefix(string(data), "\ufeff")), 0)
	if err != nil {
		return nil, errors.New("this cannot be parsed as YAML") // its own text repeats the file's
	}
	r := reader{anchors: map[string]ast.Node{}, left: maxNodes}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			ast.Walk(&r, doc.Body)
			root = r.read(doc.Body, "", 0)
			break
		}
	}
	if root == nil || r.left <= 0 {
		return nil, errors.New("this is no environments file")
	}
	return root, nil
}

type reader struct {
	anchors map[string]ast.Node
	left    int
}

// Visit collects the anchors.
func (r *reader) Visit(n ast.Node) ast.Visitor {
	if a, ok := n.(*ast.AnchorNode); ok {
		r.anchors[a.Name.GetToken().Value] = a.Value
	}
	return r
}

const maxDepth = 64

func (r *reader) read(n ast.Node, path string, depth int) *Node {
	if r.left--; r.left <= 0 || depth > maxDepth || n == nil {
		return &Node{Path: path}
	}
	made := &Node{Path: path}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		made.Line = tk.Position.Line
	}
	switch v := n.(type) {
	case *ast.AnchorNode:
		return r.read(v.Value, path, depth+1)
	case *ast.AliasNode:
		return r.read(r.anchors[v.Value.GetToken().Value], path, depth+1)
	case *ast.MappingValueNode:
		r.pair(made, v, depth)
	case *ast.MappingNode:
		for _, p := range v.Values {
			r.pair(made, p, depth)
		}
		if len(v.Values) > 0 && !v.IsFlowStyle {
			made.Line = v.Values[0].Key.GetToken().Position.Line
		}
	case *ast.SequenceNode:
		for i, item := range v.Values {
			made.Items = append(made.Items, r.read(item, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
	case *ast.LiteralNode:
		made.Scalar, made.Text = true, v.Value.Value
	case ast.ScalarNode:
		made.Scalar, made.Text = true, v.GetToken().Value
	}
	return made
}

func (r *reader) pair(into *Node, p *ast.MappingValueNode, depth int) {
	if p.Key.IsMergeKey() {
		merged := r.read(p.Value, into.Path, depth+1)
		for _, source := range append([]*Node{merged}, merged.Items...) {
			for _, f := range source.fields {
				if into.Field(f.name) == nil {
					into.fields = append(into.fields, f)
				}
			}
		}
		return
	}
	name := p.Key.GetToken().Value
	value := r.read(p.Value, strings.TrimPrefix(into.Path+"."+name, "."), depth+1)
	if value.Line == 0 || !value.Scalar {
		value.Line = p.Key.GetToken().Position.Line
	}
	for i, f := range into.fields {
		if f.name == name { // its own field, after a merge that had it
			into.fields[i].value = value
			return
		}
	}
	into.fields = append(into.fields, field{name, value})
}
