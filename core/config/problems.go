package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// A Problem is one thing that is wrong with an environments file, or, as one of
// [File.Warnings], that looks wrong. [Load] and [Watch] return all problems of
// a file in one error: errors.AsType[*Problem] finds the first of them, and the
// error's Unwrap() []error gives each.
//
// Its text is for operators and logs: it names the place and the rule, and
// never holds a secret.
type Problem struct {
	// File is the environments file, as its path was given to Load.
	File string
	// Line counts from 1; 0 for the file as a whole. For a value behind a YAML alias
	// it is the line of the value.
	Line int
	// Column counts the characters of the line from 1; 0 where it is not known.
	Column int
	// Field is the path to the field, such as environments.RELEASE.keys[0].secret;
	// empty for the file as a whole and its syntax.
	Field string
	// Rule says what is wrong, and mostly what to write.
	Rule string

	cause error
}

// Error returns "file:line:column: field: rule", without the parts that are not known.
func (p *Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	return b.String() + ": " + p.Rule
}

// Unwrap returns the error of the operating system, if that was the cause.
func (p *Problem) Unwrap() error { return p.cause }

// Problems returns the problems in an error of [Load] or [Watch].
func Problems(err error) (all []*Problem) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range many.Unwrap() {
			all = append(all, Problems(err)...)
		}
		return all
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		all = append(all, p)
	}
	return all
}

// mark is a place in the file.
type mark struct {
	line, column int // of the field's name, or of the item; 0 where not known
	field        string
}

// child is the mark of a field inside that may not exist.
func (m mark) child(name string) mark { return m.as(join(m.field, name)) }

// as is the mark of another field at the same place.
func (m mark) as(field string) mark { return mark{m.line, m.column, field} }

// mostProblems bounds the problems that are reported of one file.
const mostProblems = 200

// report collects the problems of one file.
type report struct {
	file     string
	problems []*Problem
	dropped  bool
}

func (r *report) add(m mark, rule string) { r.addCause(m, rule, nil) }

func (r *report) addCause(m mark, rule string, cause error) {
	if len(r.problems) >= mostProblems {
		r.dropped = true
		return
	}
	r.problems = append(r.problems, &Problem{File: r.file, Line: m.line, Column: m.column, Field: m.field, Rule: rule, cause: cause})
}

// err returns all problems by line, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	errs := make([]error, 0, len(r.problems)+1)
	for _, p := range r.problems {
		errs = append(errs, p)
	}
	if r.dropped {
		errs = append(errs, &Problem{File: r.file, Rule: fmt.Sprintf("there are more problems than these %d", mostProblems)})
	}
	return errors.Join(errs...)
}

// problemsOf returns the configuration problems in the error of a constructor or of
// a scheme's Validate.
func problemsOf(_ any, err error) (all []core.ConfigError) {
	if problem, ok := err.(*core.ConfigError); ok {
		one := *problem
		one.Rule = strings.ReplaceAll(one.Rule, "\n", " ")
		return append(all, one)
	}
	switch wrapped := err.(type) {
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			all = append(all, problemsOf(nil, err)...)
		}
	case interface{ Unwrap() error }:
		all = problemsOf(nil, wrapped.Unwrap())
	case error: // of no field
		all = append(all, core.ConfigError{Rule: strings.ReplaceAll(err.Error(), "\n", " "), Err: err})
	}
	return all
}
