package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config/internal/follow"
)

// secretRef says where a secret is. Exactly one of its texts is set, none
// where a problem was reported.
type secretRef struct {
	mark
	env, path string
	literal   core.Secret
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const secretForms = "must be {env: NAME}, {file: path} or the text itself"

// secret reads one of the three forms. Nothing of the value is repeated in a
// problem, nor the name of an unknown field, which may be a secret that was
// put into the wrong place.
func (d *decoder) secret(v value) secretRef {
	ref := secretRef{mark: v.mark}
	switch v.node.(type) {
	case *ast.MappingNode:
	case *ast.SequenceNode:
		d.add(v.mark, secretForms)
		return ref
	default:
		text, _ := d.text(v)
		ref.literal = core.NewSecret(text)
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
		d.add(ref.mark, "is not the name of an environment variable")
	}
	return ref
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

// resolve finds the secret. It is empty where a problem was reported: a blank one
// is such a problem.
func (ref secretRef) resolve(s *follow.Snapshot, r *report) (found core.Secret) {
	switch {
	case ref.env != "":
		text, ok := os.LookupEnv(ref.env)
		found = core.NewSecret(text)
		switch {
		case !ok:
			r.add(ref.mark, fmt.Sprintf("the environment variable %s is not set", ref.env))
		case text == "":
			r.add(ref.mark, fmt.Sprintf("the environment variable %s is empty", ref.env))
		case found.IsBlank():
			r.add(ref.mark, fmt.Sprintf("the environment variable %s is blank: %s", ref.env, blank))
			return core.Secret{}
		}
		return found
	case ref.path != "":
		data, err := s.Read(ref.file(r.file), maxSecret)
		text := string(data)
		if line, ended := strings.CutSuffix(text, "\n"); ended { // as editors and echo write it
			text = strings.TrimSuffix(line, "\r")
		}
		found = core.NewSecret(text)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.addCause(ref.mark, "the file does not exist", err)
		case err != nil:
			r.addCause(ref.mark, "the file cannot be read: "+err.Error(), err)
		case text == "":
			r.add(ref.mark, "the file is empty")
		case found.IsBlank():
			r.add(ref.mark, "the file is blank: "+blank)
			return core.Secret{}
		}
		return found
	}
	return ref.literal
}
