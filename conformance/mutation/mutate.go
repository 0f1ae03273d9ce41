package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/printer"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A mutant is one small change of the source that some test should notice.
type mutant struct {
	ID       int
	File     string // base name
	Line     int
	Function string // the declaration it is in
	Change   string // in words or as "before → after"; no position, no line break
}

// key names the mutant without its position, as docs/mutants.md does.
func (m mutant) key() string { return "`" + m.Function + "`: `" + m.Change + "`" }

// An edit replaces the bytes from..to of a file. Edits are insertions, or
// replace an operator, so that nested mutants do not disturb each other and
// every line keeps its number.
type edit struct {
	from, to int
	closes   bool // ends a wrapped expression: before what opens at this place
	text     string
}

// A mutator collects the mutants of one package.
type mutator struct {
	fset    *token.FileSet
	info    *types.Info
	pkg     *types.Package
	skip    map[string]bool // lines, as "file:line", that did not compile with their mutants
	mutants []mutant

	file     *ast.File
	source   []byte
	function string
	edits    []edit
}

// mutateFile returns the source with all of its mutants.
func (m *mutator) mutateFile(file *ast.File, source []byte) []byte {
	m.file, m.source, m.edits = file, source, nil
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Body == nil {
				continue
			}
			m.function = decl.Name.Name
			if decl.Recv != nil {
				m.function = m.text(decl.Recv.List[0].Type) + "." + m.function
				if strings.HasPrefix(m.function, "*") {
					m.function = strings.Replace("("+m.function, ".", ").", 1)
				}
			}
			m.walk(decl.Body)
		case *ast.GenDecl:
			if decl.Tok == token.VAR {
				for _, spec := range decl.Specs {
					m.function = "var " + spec.(*ast.ValueSpec).Names[0].Name
					m.walk(spec)
				}
			}
		}
	}
	return m.apply()
}

// apply makes the edits.
func (m *mutator) apply() []byte {
	// What closes at a place stands before what opens there. The outer
	// expression was met first: it opens first and closes last.
	var closing, rest []edit
	for _, e := range m.edits {
		if e.closes {
			closing = append(closing, e)
		} else {
			rest = append(rest, e)
		}
	}
	slices.Reverse(closing)
	edits := append(closing, rest...)
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		out.Write(m.source[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(m.source[at:])
	return out.Bytes()
}

// add makes a mutant at n and returns its number, or 0 if the line is left out.
func (m *mutator) add(n ast.Node, change string) int {
	at := m.fset.Position(n.Pos())
	base := at.Filename[strings.LastIndexByte(at.Filename, '/')+1:]
	if m.skip[fmt.Sprintf("%s:%d", base, at.Line)] {
		return 0
	}
	m.mutants = append(m.mutants, mutant{ID: len(m.mutants) + 1, File: base, Line: at.Line, Function: m.function, Change: change})
	return len(m.mutants)
}

// wrap puts text around n. In both, # stands for the number of the new mutant.
func (m *mutator) wrap(n ast.Node, change, before, after string) {
	if id := m.add(n, change); id != 0 {
		number := fmt.Sprint(id)
		m.around(n, n, strings.ReplaceAll(before, "#", number), strings.ReplaceAll(after, "#", number))
	}
}

// around inserts text in front of first and behind last.
func (m *mutator) around(first, last ast.Node, before, after string) {
	from, to := m.offset(first.Pos()), m.offset(last.End())
	m.edits = append(m.edits, edit{from: from, to: from, text: before}, edit{from: to, to: to, closes: true, text: after})
}

func (m *mutator) offset(pos token.Pos) int { return m.fset.Position(pos).Offset }

// text returns the source of n in one short line.
func (m *mutator) text(n ast.Node) string {
	s := strings.Join(strings.Fields(string(m.source[m.offset(n.Pos()):m.offset(n.End())])), " ")
	s = strings.ReplaceAll(s, "`", "'")
	if r := []rune(s); len(r) > 70 {
		s = string(r[:50]) + " … " + string(r[len(r)-17:])
	}
	return s
}

// exact returns the source of n in one line, for use in an edit.
func (m *mutator) exact(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, m.fset, n); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// walk adds the mutants of n and of what is in it.
func (m *mutator) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			return n.Tok == token.VAR
		case *ast.ArrayType, *ast.MapType, *ast.FuncType, *ast.StructType, *ast.InterfaceType:
			return false // an array's length must stay constant
		case *ast.KeyValueExpr:
			if tv, ok := m.info.Types[n.Key]; ok && tv.Value != nil {
				m.walk(n.Value) // an index in a literal must stay constant
				return false
			}
		case *ast.BlockStmt:
			m.statements(n.List)
		case *ast.CommClause:
			m.statements(n.Body)
		case *ast.SwitchStmt:
			m.cases(n)
		case *ast.TypeSwitchStmt:
			for _, clause := range n.Body.List {
				m.statements(clause.(*ast.CaseClause).Body)
			}
		case *ast.IfStmt:
			m.negate(n.Cond)
			if last := len(n.Body.List) - 1; n.Else == nil && last >= 0 {
				m.removeReturn(n.Body.List[last], "if "+m.text(n.Cond))
			}
		case *ast.ForStmt:
			if n.Cond != nil {
				m.wrap(n.Cond, "for "+m.text(n.Cond)+": never runs", "(", ") && !_mutant(#)")
			}
		case *ast.RangeStmt:
			if id := m.add(n, "for range "+m.text(n.X)+": never runs"); id != 0 {
				at := m.offset(n.Body.Lbrace) + 1
				m.edits = append(m.edits, edit{from: at, to: at, text: fmt.Sprintf(" if _mutant(%d) { break };", id)})
			}
		case *ast.ReturnStmt:
			for _, result := range n.Results {
				m.negate(result)
			}
		case *ast.AssignStmt:
			for _, value := range n.Rhs {
				m.negate(value)
			}
		case ast.Expr:
			return m.expression(n)
		}
		return true
	})
}

// cases treats what is in the clauses of a switch.
func (m *mutator) cases(n *ast.SwitchStmt) {
	complete := slices.ContainsFunc(n.Body.List, func(s ast.Stmt) bool { return s.(*ast.CaseClause).List == nil })
	for _, s := range n.Body.List {
		clause := s.(*ast.CaseClause)
		if n.Tag == nil {
			for _, condition := range clause.List {
				m.negate(condition)
			}
		}
		m.statements(clause.Body)
		if last := len(clause.Body) - 1; !complete && last >= 0 && len(clause.List) > 0 {
			m.removeReturn(clause.Body[last], "case "+m.text(clause.List[0]))
		}
	}
}

// statements adds the mutants without one of the statements.
func (m *mutator) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if strings.HasSuffix(m.callee(s.X), ".Grow") {
				continue // speed only
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || !slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool { return m.text(e) != "_" }) {
				continue
			}
		case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt, *ast.BranchStmt:
		default:
			continue
		}
		m.wrap(s, "remove "+m.text(s), "if !_mutant(#) { ", " }")
	}
}

// removeReturn adds the mutant that goes on where the function returns early.
func (m *mutator) removeReturn(s ast.Stmt, where string) {
	if s, ok := s.(*ast.ReturnStmt); ok {
		m.wrap(s, "remove "+m.text(s)+" of "+where, "if !_mutant(#) { ", " }")
	}
}

func (m *mutator) callee(e ast.Expr) string {
	if call, ok := e.(*ast.CallExpr); ok {
		return m.text(call.Fun)
	}
	return ""
}

// negate adds the mutant with the opposite of a condition.
func (m *mutator) negate(e ast.Expr) {
	tv := m.info.Types[e]
	if basic, ok := tv.Type.(*types.Basic); !ok || basic.Info()&types.IsBoolean == 0 || tv.Value != nil {
		return
	}
	m.wrap(e, "negate "+m.text(e), "((", ") != _mutant(#))")
}

// expression adds the mutants of e itself, and tells whether to look into it.
func (m *mutator) expression(e ast.Expr) bool {
	tv := m.info.Types[e]
	if tv.IsType() {
		return false
	}
	if tv.Value != nil {
		m.constant(e, tv)
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		m.binary(e)
	case *ast.CallExpr:
		if m.isCapacity(e) {
			return false
		}
		m.call(e)
	}
	return true
}

// isCapacity reports whether the call only reserves memory.
func (m *mutator) isCapacity(call *ast.CallExpr) bool {
	name := m.text(call.Fun)
	if strings.HasSuffix(name, ".Grow") || name == "panic" {
		return true
	}
	if name != "make" {
		return false
	}
	if len(call.Args) == 3 {
		m.walk(call.Args[1])
		return true
	}
	_, slice := m.info.TypeOf(call.Args[0]).Underlying().(*types.Slice)
	return !slice && len(call.Args) == 2 && m.info.Types[call.Args[1]].Value == nil
}

// constant changes a number by one, a duration by a second, and true and false.
func (m *mutator) constant(e ast.Expr, tv types.TypeAndValue) {
	switch tv.Value.Kind() {
	case constant.Bool:
		m.wrap(e, "not "+m.text(e), "(", " != _mutant(#))")
	case constant.Int:
		name, ok := m.typeName(tv.Type)
		if basic, isBasic := tv.Type.Underlying().(*types.Basic); !ok || !isBasic || basic.Info()&types.IsInteger == 0 {
			return
		}
		more := "1"
		if tv.Type.String() == "time.Duration" {
			more = "1e9"
		}
		m.wrap(e, m.text(e)+" → "+m.text(e)+" + "+more, "_mutantAdd["+name+"](#, ", ", "+more+")")
	}
}

// typeName spells a type in the file; ok is false if the file cannot name it.
func (m *mutator) typeName(t types.Type) (name string, ok bool) {
	ok = true
	name = types.TypeString(types.Default(t), func(p *types.Package) string {
		if p == m.pkg {
			return ""
		}
		for _, spec := range m.file.Imports {
			if strings.Trim(spec.Path.Value, `"`) == p.Path() {
				if spec.Name != nil {
					return spec.Name.Name
				}
				return p.Name()
			}
		}
		ok = false
		return ""
	})
	return name, ok
}

var boundHelpers = map[token.Token][2]string{
	token.LSS: {"_mutantLess", "<="},
	token.LEQ: {"_mutantLessEqual", "<"},
	token.GTR: {"_mutantGreater", ">="},
	token.GEQ: {"_mutantGreaterEqual", ">"},
}

func (m *mutator) binary(e *ast.BinaryExpr) {
	x, y := m.text(e.X), m.text(e.Y)
	switch e.Op {
	case token.LAND, token.LOR:
		op, other, neutral := "&&", "||", " || "
		if e.Op == token.LOR {
			op, other, neutral = "||", "&&", " && !"
		}
		id := m.add(e, x+" "+op+" "+y+" → "+other)
		if id == 0 {
			return
		}
		// Both operands and the result negated: De Morgan's law makes the
		// other operator of it, and each operand is written once.
		not := fmt.Sprintf(") != _mutant(%d))", id)
		m.around(e, e, "((", not)
		for _, operand := range []ast.Expr{e.X, e.Y} {
			m.around(operand, operand, "((", not)
			m.wrap(operand, m.text(e)+" → without "+m.text(operand), "((", ")"+neutral+"_mutant(#))")
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		helper := boundHelpers[e.Op]
		id := m.add(e, x+" "+e.Op.String()+" "+y+" → "+helper[1])
		if id == 0 {
			return
		}
		m.around(e, e, fmt.Sprintf("%s(%d, ", helper[0], id), ")")
		op := m.offset(e.OpPos)
		m.edits = append(m.edits, edit{from: op, to: op + len(e.Op.String()), text: ","})
	case token.ADD, token.SUB, token.OR, token.XOR:
		operands := []ast.Expr{e.X, e.Y}
		if e.Op == token.SUB {
			operands = operands[1:]
		}
		for _, operand := range operands {
			tv := m.info.Types[operand]
			if inner, ok := operand.(*ast.BinaryExpr); ok && inner.Op == e.Op || tv.Value != nil && tv.Value.Kind() != constant.String {
				continue
			}
			if name, ok := m.typeName(tv.Type); ok {
				m.wrap(operand, m.text(e)+" → without "+m.text(operand), "_mutantZero["+name+"](#, ", ")")
			}
		}
	}
}

// Functions whose two arguments can be swapped, or whose result equals their
// argument for whoever does not modify it.
var symmetric = map[string]bool{
	"bytes.Equal": true, "hmac.Equal": true, "subtle.ConstantTimeCompare": true, "strings.EqualFold": true,
	"min": true, "max": true, "errors.Join": true, "slices.Equal": true,
}

// call adds the mutants with two arguments swapped, and with the only argument
// in place of the result.
func (m *mutator) call(call *ast.CallExpr) {
	signature, ok := m.info.TypeOf(call.Fun).(*types.Signature)
	if fun := m.info.Types[call.Fun]; !ok || fun.IsType() || fun.IsBuiltin() || symmetric[m.text(call.Fun)] || call.Ellipsis.IsValid() {
		return
	}
	params := signature.Params()
	fixed := params.Len()
	if signature.Variadic() {
		fixed--
	}
	for i := 0; i+1 < min(fixed, len(call.Args)); i++ {
		a, b := call.Args[i], call.Args[i+1]
		name, ok := m.typeName(m.info.TypeOf(a))
		if !ok || !types.Identical(params.At(i).Type(), params.At(i+1).Type()) || !types.Identical(m.info.TypeOf(a), m.info.TypeOf(b)) || m.text(a) == m.text(b) {
			continue
		}
		change := m.text(call) + " → " + m.text(a) + " and " + m.text(b) + " swapped"
		switch {
		case simple(a) && simple(b):
			if id := m.add(a, change); id != 0 {
				m.around(a, a, fmt.Sprintf("_mutantOther[%s](%d, ", name, id), ", "+m.exact(b)+")")
				m.around(b, b, fmt.Sprintf("_mutantOther[%s](%d, ", name, id), ", "+m.exact(a)+")")
			}
		case len(call.Args) == 2 && fixed == 2:
			if id := m.add(a, change); id != 0 {
				m.around(a, b, fmt.Sprintf("_mutantSwap[%s](%d, ", name, id), ")")
			}
		}
	}
	if len(call.Args) == 1 && fixed == 1 && signature.Results().Len() == 1 && simple(call.Args[0]) &&
		types.Identical(signature.Results().At(0).Type(), m.info.TypeOf(call.Args[0])) && m.info.Types[call.Args[0]].Value == nil {
		arg := call.Args[0]
		m.wrap(call, m.text(call)+" → "+m.text(arg), "_mutantOther(#, ", ", "+m.exact(arg)+")")
	}
}

// simple reports whether e can be evaluated twice.
func simple(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.Ident, *ast.SelectorExpr, *ast.BasicLit, *ast.IndexExpr, *ast.StarExpr, *ast.ParenExpr:
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		default:
			ok = false
		}
		return ok
	})
	return ok
}
