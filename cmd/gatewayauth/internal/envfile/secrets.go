package envfile

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/config"
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// SecretRef is a place where a secret is, or is named.
type SecretRef struct {
	*Node
	Env, File string // where it is; both empty: in the file itself
	Key       *Node  // the key it belongs to, nil for the URL of a replay store
	Name      string // of its field
}

// Secrets returns the places of all secrets of an environment.
func (e Environment) Secrets() (all []SecretRef) {
	add := func(key, holder *Node, name string) {
		if v := holder.Field(name); v != nil {
			all = append(all, SecretRef{Node: v, Env: v.Value("env"), File: v.Value("file"), Key: key, Name: name})
		}
	}
	for _, k := range e.List("keys") {
		names := []string{"secret", "session_token", "password"}
		if k.Value("type") == "aes" {
			names = append(names, "key")
		}
		for _, name := range names {
			add(k, k, name)
			for _, p := range k.List("previous") {
				add(k, p, name)
			}
		}
	}
	add(nil, e.Field("replay"), "url")
	return all
}

// absent names the variables that are to hold a secret of a key and are not set.
func (e Environment) absent() (variables []string) {
	for _, ref := range e.Secrets() {
		if ref.Key != nil && variableName.MatchString(ref.Env) && os.Getenv(ref.Env) == "" && !slices.Contains(variables, ref.Env) {
			variables = append(variables, ref.Env)
		}
	}
	return variables
}

// standIn sets the variables that an environment's secrets are to be in and that
// are not set, to texts of the right form, until restore is called.
func standIn(e Environment) (restore func()) {
	var undo []func()
	for i, ref := range e.Secrets() {
		if !variableName.MatchString(ref.Env) || os.Getenv(ref.Env) != "" {
			continue
		}
		text := fmt.Sprintf("StandIn%09d", i) // fits every published limit
		switch {
		case ref.Key == nil:
			text = "redis://127.0.0.1:6379"
		case ref.Name == "key" && ref.Key.Value("algorithm") == "aes-256-cfb":
			text += text
		}
		_, was := os.LookupEnv(ref.Env)
		os.Setenv(ref.Env, text)
		undo = append(undo, func() {
			if os.Unsetenv(ref.Env); was {
				os.Setenv(ref.Env, "")
			}
		})
	}
	return func() {
		for _, f := range undo {
			f()
		}
	}
}

// OpenWithoutSecrets reads the file as Open does, and does without every secret
// that is a variable or a file. The problems are those that do not come of that.
// Partly is true where secrets are to be in files that are not there: what
// depends on keys was not judged then. File is nil where the form is wrong; its
// own File is nil where it was not judged whole.
func OpenWithoutSecrets(path string) (f *File, problems []*config.Problem, partly bool) {
	loaded, err := config.Load(path)
	if err == nil || aboutSecrets(err) {
		var failure error
		if f, failure = written(path); failure != nil {
			return nil, []*config.Problem{{File: path, Rule: failure.Error()}}, false
		}
		if err != nil {
			for _, e := range f.Environments {
				defer standIn(e)()
			}
			loaded, err = config.Load(path)
		}
		if f.File = loaded; err == nil {
			return f, nil, false
		}
	}
	for _, p := range Problems(err) {
		if strings.HasSuffix(p.Field, ".file") {
			partly = true
		} else if !strings.HasSuffix(p.Field, ".env") || f != nil {
			problems = append(problems, p)
		}
	}
	return f, problems, partly
}

// Problems returns the problems in an error of package config.
func Problems(err error) (all []*config.Problem) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range many.Unwrap() {
			all = append(all, Problems(err)...)
		}
		return all
	}
	if p, ok := errors.AsType[*config.Problem](err); ok {
		all = append(all, p)
	}
	return all
}
