package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config/internal/follow"
)

// secretRef says where a secret is: in a variable, in a file, or in the text itself. It
// is empty if a problem was reported.
type secretRef struct {
	mark
	env, path string
	literal   core.Secret
	// cut says what YAML likely took for something else than a part of the literal.
	cut string
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const secretForms = "must be {env: NAME}, {file: path} or the text itself"

// secret reads one of the three forms. Problems repeat nothing of the value, nor the
// name of an unknown field, which may be a misplaced secret.
func (d *decoder) secret(v value) secretRef {
	ref := secretRef{mark: v.mark}
	switch v.node.(type) {
	case *ast.MappingNode:
	case *ast.SequenceNode:
		d.add(v.mark, secretForms)
		return ref
	default:
		_, empty := v.node.(*ast.NullNode)
		switch {
		case empty && v.comment:
			d.add(v.mark, "is empty, for a # starts a comment: a text that starts with # needs quotes")
			return ref
		case empty && v.anchored:
			d.add(v.mark, "is empty, for an & starts an anchor: a text that starts with & needs quotes")
			return ref
		}
		text, _ := d.text(v)
		ref.literal, ref.cut = core.NewSecret(text), d.cut(v)
		return ref
	}
	pairs, _ := d.pairs(v)
	if len(pairs) != 1 || pairs[0].name != "env" && pairs[0].name != "file" {
		d.add(v.mark, secretForms)
		return ref
	}
	ref.mark = pairs[0].value.mark
	text, ok := d.text(pairs[0].value)
	switch {
	case !ok:
	case pairs[0].name == "file":
		ref.path = text
	case variableName.MatchString(text):
		ref.env = text
	default:
		d.add(ref.mark, "is not the name of an environment variable: letters, digits and _, no digit first")
	}
	return ref
}

// cut says what YAML has likely taken off a text without quotes, or added to it, "" if
// nothing. It repeats nothing of the text.
func (d *decoder) cut(v value) string {
	if v.node == nil { // after too many values
		return ""
	}
	tk := v.node.GetToken()
	_, block := v.node.(*ast.LiteralNode)
	written := strings.TrimSpace(tk.Origin)
	switch {
	case v.anchored && !d.aliased[v.node]:
		return "starts with & and a name that no alias uses, which are not part of the value: put all of it in quotes if they belong to it, or remove them"
	case block && strings.HasSuffix(v.node.(*ast.LiteralNode).Value.Value, "\n"):
		return "is a block (| or >), so that it ends with a line break: write it in one line, in quotes, or with |-"
	case block || tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType:
		return ""
	case commented(tk):
		return "is followed by a comment, which is not part of the value: put all of it in quotes if the # belongs to it, or the value alone"
	case strings.Contains(written, "\n"):
		return "goes over several lines, which YAML joins with blanks: write it in one line, in quotes"
	case strings.Contains(written, "\t"):
		return "has a tab in it, which is left out: put the value in quotes"
	}
	return ""
}

// commented reports whether a comment follows in the same line.
func commented(tk *token.Token) bool {
	return tk != nil && tk.Next != nil && tk.Next.Type == token.CommentType && tk.Next.Position.Line == tk.Position.Line
}

func (d *decoder) secretTo(dst *secretRef) func(value) {
	return func(v value) { *dst = d.secret(v) }
}

// file returns the path of the file that holds the secret, "" if none does.
// Paths are relative to the environments file.
func (ref secretRef) file(environments string) string {
	if ref.path == "" || filepath.IsAbs(ref.path) {
		return ref.path
	}
	return filepath.Join(filepath.Dir(environments), ref.path)
}

// absolute returns the path that was tried, also where the working directory is not known
// to the reader.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// secretFinder finds the secrets of one environment.
type secretFinder struct {
	*report
	// files reads the files. If it is nil, neither variables nor files are read.
	files *follow.Snapshot
	// optional makes a secret that cannot be read a missing one, and no problem.
	optional bool
	missing  []string // see File.Missing
}

func (f *secretFinder) all(refs map[string]secretRef) map[string]core.Secret {
	if f == nil {
		return nil
	}
	found := make(map[string]core.Secret, len(refs))
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		found[name] = f.find(refs[name])
	}
	return found
}

// find returns a secret, the zero Secret if it is missing or a problem was reported.
func (f *secretFinder) find(ref secretRef) core.Secret {
	place := "variable " + ref.env
	switch {
	case ref.env == "" && ref.path == "":
		return ref.literal
	case ref.path != "":
		place = "file " + ref.path
	}
	var rule string
	var found core.Secret
	var cause error
	if f.files != nil {
		found, rule, cause = ref.read(f.files, f.file)
	}
	switch {
	case f.files == nil || rule != "" && f.optional:
		if !slices.Contains(f.missing, place) {
			f.missing = append(f.missing, place)
		}
	case rule != "":
		f.addCause(ref.mark, rule, cause)
	default:
		return found
	}
	return core.Secret{}
}

// read reads the variable or file that holds a secret, and says what is wrong with
// it, if anything.
func (ref secretRef) read(s *follow.Snapshot, environments string) (found core.Secret, rule string, cause error) {
	if ref.env != "" {
		text, ok := os.LookupEnv(ref.env)
		found = core.NewSecret(text)
		switch {
		case !ok:
			rule = fmt.Sprintf("the environment variable %s is not set", ref.env)
		case text == "":
			rule = fmt.Sprintf("the environment variable %s is empty", ref.env)
		case found.IsBlank():
			rule = fmt.Sprintf("the environment variable %s is blank: %s", ref.env, blank)
		}
		return found, rule, nil
	}
	path := ref.file(environments)
	data, err := s.Read(path, maxSecret)
	text := string(data)
	if line, ended := strings.CutSuffix(text, "\n"); ended { // as editors and echo write it
		text = strings.TrimSuffix(line, "\r")
	}
	found = core.NewSecret(text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		rule = "the file " + absolute(path) + " does not exist"
	case err != nil:
		rule = "the file " + absolute(path) + " cannot be read: " + err.Error()
	case text == "":
		rule = "the file is empty"
	case found.IsBlank():
		rule = "the file is blank: " + blank
	}
	return found, rule, err
}
