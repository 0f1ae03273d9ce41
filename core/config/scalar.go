package config

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
)

// blank is what is wrong with a blank text.
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
	case nil: // given up
		return "", false
	default:
		d.add(v.mark, "must be a text")
		return "", false
	}
	switch {
	case text == "":
		d.add(v.mark, "is empty")
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

// durationTo reads a duration in Go's form. Bounds are the core's matter,
// except that its zero means the default.
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

// sizeTo reads a number of bytes, exactly: 1.5KiB is 1536, and 1.5 is none.
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
