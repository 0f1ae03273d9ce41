package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// An environmentsFile loads the environments file when it is known whose secrets a
// question needs.
type environmentsFile struct {
	names []string
	load  func(env string) (*config.File, error)
}

// openEnvironments opens an environments file for questions about any environment. The
// secrets of others are needed too.
func openEnvironments(path string, others []string) (*environmentsFile, error) {
	outline, err := loadFile(path, config.WithoutSecrets())
	if err != nil {
		return nil, err
	}
	loaded := map[string]*config.File{}
	return &environmentsFile{outline.Environments(), func(env string) (*config.File, error) {
		if file := loaded[env]; file != nil {
			return file, nil
		}
		file, err := loadFile(path, config.WithSecretsOf(append([]string{env}, others...)...))
		if err == nil {
			loaded[env] = file
		}
		return file, err
	}}, nil
}

// usable returns an error if no request could be explained with what the user gives.
func (q *question) usable(names []string) error {
	for _, name := range append([]string{q.env}, q.others...) {
		if name != "" && !slices.Contains(names, name) {
			return fmt.Errorf("there is no environment %q; there are: %s", name, printable(strings.Join(names, ", ")))
		}
	}
	if q.at != "" && q.at != "captured" {
		if _, err := clock(q.at); err != nil {
			return fmt.Errorf("%s: %w", q.option("at"), err)
		}
	}
	for _, text := range q.headers {
		if _, _, err := q.header(text); err != nil {
			return err
		}
	}
	return nil
}

// environment returns the environment that refused a request: the one that the user names,
// the one that the input names, or the only one in the file.
func (q *question) environment(names []string, c *capture.Captured) (string, error) {
	stated := ""
	switch {
	case c.Recorded != nil:
		stated = c.Recorded.Environment
	case c.Event != nil:
		stated = c.Event.Environment
	}
	switch {
	case q.env != "":
		return q.env, nil
	case slices.Contains(names, stated):
		return stated, nil
	case stated != "":
		return "", fmt.Errorf("the request was refused in the environment %s, which the file does not have: name another %s (%s)",
			printable(stated), q.with("env", ""), strings.Join(names, ", "))
	case len(names) == 1:
		return names[0], nil
	}
	return "", fmt.Errorf("%s is missing: name the environment that refused the request (%s)", q.option("env"), strings.Join(names, ", "))
}
