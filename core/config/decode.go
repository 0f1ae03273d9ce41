package config

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/gatewayauth/gatewayauth/core"
)

// decoder reads the fields of the format from the syntax tree. Unlike a decoder into
// structs it goes on after a problem, knows the line and field of each, reads scalars as
// they are written (a secret 012345 is not the number 12345), and bounds what aliases
// expand to.
type decoder struct {
	*report
	extension Extension
	targets   map[*ast.AliasNode]ast.Node
	aliased   map[ast.Node]bool // the values of targets
	left      int               // values that may still be visited
	apis      int               // bindings read, in all environments
}

// maxValues bounds the values of a file. Those under an alias count every time it is used.
const maxValues = 400_000

// value is a value of the file at the place where it is used.
type value struct {
	node     ast.Node // no anchor and no alias
	anchored bool     // directly behind an anchor
	comment  bool     // a comment stands between the name of the field and the value
	mark
}

// pair is one field of a mapping.
type pair struct {
	name  string
	value value
	first int  // line of the same field earlier in the mapping, 0 if there is none
	cut   bool // without a colon, as the rest of a text with a comma in it
}

// fields says how each field of a mapping is read.
type fields map[string]func(value)

// mapping reads the fields of v in the order of the file, and returns the place of each;
// nil if v is not a mapping. written shows such a mapping.
func (d *decoder) mapping(v value, written string, known fields) map[string]mark {
	pairs, ok := d.pairs(v)
	if !ok {
		d.add(v.mark, "must be a mapping of fields; write "+written)
		return nil
	}
	at := make(map[string]mark, len(pairs))
	for _, p := range pairs {
		read, ok := known[p.name]
		switch {
		case !ok && p.cut:
			d.add(p.value.mark.as(v.field), "a comma ended the value before this text, which is read as a field of its own; a value with a comma needs quotes inside of { }")
		case !ok:
			d.add(p.value.mark, "unknown field; "+d.choices(p.name, "known here: ", names(known)))
		case p.first > 0:
			d.add(p.value.mark, fmt.Sprintf("is set twice, first in line %d; leave one out", p.first))
		default:
			at[p.name] = p.value.mark
			read(p.value)
		}
	}
	return at
}

// required reports a field that a mapping lacks, and what to write.
func (d *decoder) required(v value, at map[string]mark, name, write string) {
	if _, ok := at[name]; !ok && at != nil {
		d.add(v.child(name), "is missing: write "+write)
	}
}

func names(f fields) []string {
	var all []string
	for name := range f {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// pairs returns the fields of a mapping. Those merged with << come last, without those
// that the mapping sets itself.
func (d *decoder) pairs(v value) (own []pair, ok bool) {
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		return nil, false
	}
	seen := make(map[string]int, len(m.Values))
	var merged []pair
	for _, n := range m.Values {
		if d.exhausted() {
			break
		}
		at := placeOf(n)
		line := at.line
		if n.Key.IsMergeKey() {
			if seen["<<"] > 0 {
				d.add(at.as(v.field), "<< is set twice; << takes a list of aliases")
			}
			seen["<<"] = line
			merged = append(merged, d.merge(d.value(n.Value, at.as(v.field)))...)
			continue
		}
		name, ok := d.key(n.Key)
		if !ok {
			d.add(at.as(v.field), "the name of a field must be a plain text")
			continue
		}
		read := d.value(n.Value, at.as(join(v.field, name)))
		read.comment = commented(n.Start)
		own = append(own, pair{name, read, seen[name], n.Start == nil || n.Start.Type != token.MappingValueType})
		if seen[name] == 0 {
			seen[name] = line
		}
	}
	for _, p := range merged {
		if seen[p.name] == 0 && d.visit(v.mark) {
			p.value.field = join(v.field, p.name)
			own = append(own, p)
			seen[p.name] = p.value.line
		}
	}
	return own, true
}

func (d *decoder) key(n ast.MapKeyNode) (string, bool) {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// items returns the items of a list, and false if v is not a list. written shows such a list.
func (d *decoder) items(v value, written string) ([]value, bool) {
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		d.add(v.mark, "must be a list; write "+written)
		return nil, false
	}
	items := make([]value, 0, len(s.Values))
	for i, n := range s.Values {
		if d.exhausted() {
			break
		}
		items = append(items, d.value(n, placeOf(n).as(fmt.Sprintf("%s[%d]", v.field, i))))
	}
	return items, true
}

// plain returns a scalar that may be shown in a problem: one short text of the characters that
// names of headers, methods, hosts, paths and folders have. Otherwise it returns "". It is not
// for fields that can hold a secret.
func plain(v value) string {
	n, ok := v.node.(*ast.StringNode)
	if !ok || !plainText.MatchString(n.Value) {
		return ""
	}
	return n.Value
}

var plainText = regexp.MustCompile(`^[A-Za-z0-9/*._][A-Za-z0-9/*._:, -]{0,99}$`)

// asList returns how the texts of a scalar are written as a list, or else the example.
func asList(v value, example string) string {
	texts := strings.FieldsFunc(plain(v), func(c rune) bool { return c == ',' || c == ' ' })
	if len(texts) == 0 {
		return example
	}
	for i, text := range texts {
		if strings.HasPrefix(text, "*") || strings.HasSuffix(text, ":") { // an alias, and a field
			texts[i] = strconv.Quote(text)
		}
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// visit counts a value, and returns false when there were too many.
func (d *decoder) visit(m mark) bool {
	d.left--
	if d.left == 0 {
		d.add(m, fmt.Sprintf("more than %d values in this file, counting those under an alias at each use", maxValues))
	}
	return !d.exhausted()
}

func (d *decoder) exhausted() bool { return d.left <= 0 }

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// join appends the name of a field to a path, quoted unless it is letters, digits, _ and -.
func join(path, name string) string {
	if !plainName.MatchString(name) {
		if len(name) > 128 {
			name = name[:128]
		}
		name = strconv.QuoteToASCII(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// blank is the rule for a blank text.
const blank = "it has no visible character"

// text reads a scalar as it is written, whatever type YAML would see in it.
func (d *decoder) text(v value) (string, bool) {
	var text string
	switch n := v.node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text = n.GetToken().Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.NullNode:
	case nil: // after too many values
		return "", false
	default:
		d.add(v.mark, "must be one text, not a list or a mapping")
		return "", false
	}
	switch {
	case text == "":
		d.add(v.mark, "is empty; write a value")
	case core.NewSecret(text).IsBlank():
		d.add(v.mark, "is blank: "+blank)
	default:
		return text, true
	}
	return "", false
}

func (d *decoder) textTo(dst *string) func(value) {
	return func(v value) { *dst, _ = d.text(v) }
}

func (d *decoder) boolTo(dst *bool) func(value) {
	return func(v value) {
		b, ok := v.node.(*ast.BoolNode)
		if !ok {
			d.add(v.mark, "must be true or false")
			return
		}
		*dst = b.Value
	}
}

// durationTo reads a duration in Go's form. core checks the bounds, but for 0, which
// means the default there.
func (d *decoder) durationTo(dst *time.Duration) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			d.add(v.mark, "has no unit; write a duration such as 90s, 15m or 1h")
			return
		}
		parsed, err := time.ParseDuration(text)
		switch {
		case err != nil:
			d.add(v.mark, "is not a duration such as 90s, 15m or 1h")
		case parsed == 0:
			d.add(v.mark, "must be more than 0")
		}
		*dst = parsed
	}
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,30}(?:\.[0-9]{1,30})?) ?([A-Za-z]*)$`)

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}

// sizeTo reads a number of bytes, exactly: 1.5KiB is 1536, and 1.5 is an error.
func (d *decoder) sizeTo(dst *int64) func(value) {
	return func(v value) {
		text, ok := d.text(v)
		if !ok {
			return
		}
		form := sizeForm.FindStringSubmatch(text)
		unit := int64(0)
		if form != nil {
			unit = sizeUnits[strings.ToLower(form[2])]
		}
		if unit == 0 {
			d.add(v.mark, "is not a size such as 1048576, 512KiB, 12MiB, 1GiB or 12MB")
			return
		}
		size, _ := new(big.Rat).SetString(form[1])
		size.Mul(size, new(big.Rat).SetInt64(unit))
		switch {
		case !size.IsInt():
			d.add(v.mark, "is not a whole number of bytes")
		case size.Sign() == 0:
			d.add(v.mark, "must be more than 0")
		case !size.Num().IsInt64() || size.Num().Int64() == math.MaxInt64:
			d.add(v.mark, "is too large a size")
		default:
			*dst = size.Num().Int64()
		}
	}
}
