package config

import "github.com/goccy/go-yaml/ast"

// anchors finds what each alias of a document stands for. Names are looked up
// in the order of the file, where an alias stands for the anchor before it.
type anchors struct {
	*report
	named   map[string]ast.Node // nil while the anchored value is being read
	targets map[*ast.AliasNode]ast.Node
}

// resolveAliases returns the targets of all aliases. Names are not repeated in
// problems: a secret that starts with * and lacks quotes is read as an alias.
func resolveAliases(n ast.Node, r *report) map[*ast.AliasNode]ast.Node {
	a := anchors{r, map[string]ast.Node{}, map[*ast.AliasNode]ast.Node{}}
	a.walk(n)
	return a.targets
}

func (a *anchors) walk(n ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, field := range n.Values {
			a.walk(field)
		}
	case *ast.MappingValueNode:
		a.walk(n.Key)
		a.walk(n.Value)
	case *ast.SequenceNode:
		for _, item := range n.Values {
			a.walk(item)
		}
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		a.named[name] = nil
		a.walk(n.Value)
		a.named[name] = n.Value
	case *ast.AliasNode:
		target, known := a.named[n.Value.GetToken().Value]
		switch {
		case !known:
			a.add(mark{line: lineOf(n)}, "alias of an anchor that is not set above; a text that starts with * needs quotes")
		case target == nil:
			a.add(mark{line: lineOf(n)}, "alias inside of its own anchor")
		}
		a.targets[n] = target
	}
}

// value resolves anchors and aliases. What is inside of an alias's target keeps
// the lines on which it stands.
func (d *decoder) value(n ast.Node, m mark) value {
	if !d.visit(m) {
		return value{nil, m}
	}
	for {
		switch a := n.(type) {
		case *ast.AnchorNode:
			n = a.Value
		case *ast.AliasNode:
			n = d.targets[a]
		default:
			return value{n, m}
		}
	}
}

// merge returns the fields that << takes over: of one mapping, or of several,
// the earlier ones first.
func (d *decoder) merge(v value) (all []pair) {
	sources := []value{v}
	if s, ok := v.node.(*ast.SequenceNode); ok {
		sources = sources[:0]
		for _, n := range s.Values {
			if d.exhausted() {
				break
			}
			sources = append(sources, d.value(n, v.mark))
		}
	}
	for _, source := range sources {
		pairs, ok := d.pairs(source)
		if !ok {
			d.add(v.mark, "<< takes an alias of a mapping, or a list of such")
		}
		all = append(all, pairs...)
	}
	return all
}
