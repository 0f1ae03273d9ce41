// Package envfile opens an environments file for a command line: as package
// config reads it, and beside that as it is written, so that a finding can name
// its line and a key its name.
package envfile

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// File is an environments file that package config has found right.
type File struct {
	*config.File
	Root         *Node
	Environments []Environment
	absent       map[string][]string
}

// Absent names the variables of an environment that are to hold its secrets and
// are not set: its keys were read without.
func (f *File) Absent(env string) []string { return f.absent[env] }

// Environment is one environment as it is written.
type Environment struct {
	Name string
	*Node
}

// Open loads the file. The secrets of the environments in needed must be there;
// those of others are done without where they are variables: an operator of one
// environment does not have them.
func Open(path string, needed ...string) (*File, error) {
	loaded, err := config.Load(path)
	if err != nil && !aboutSecrets(err) {
		return nil, err // and package config alone knows how to read a file that is wrong
	}
	f, failure := written(path)
	if failure != nil {
		return nil, fmt.Errorf("%s: %w", path, failure)
	}
	for _, name := range needed {
		if _, ok := f.Environment(name); !ok {
			return nil, fmt.Errorf("%s: there is no environment %q; there are: %s", path, name, strings.Join(f.names(), ", "))
		}
	}
	if err != nil {
		for _, e := range f.Environments {
			if len(needed) > 0 && !slices.Contains(needed, e.Name) {
				f.absent[e.Name] = e.absent()
			}
		}
		for name := range f.absent {
			e, _ := f.Environment(name)
			defer standIn(e)()
		}
		loaded, err = config.Load(path)
	}
	f.File = loaded
	return f, err
}

// aboutSecrets reports whether nothing else is wrong than that secrets are not
// where the file says.
func aboutSecrets(err error) bool {
	all := Problems(err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(p *config.Problem) bool { return !isSecret(p) })
}

func isSecret(p *config.Problem) bool {
	return strings.HasSuffix(p.Field, ".env") || strings.HasSuffix(p.Field, ".file")
}

func (f *File) names() (all []string) {
	for _, e := range f.Environments {
		all = append(all, e.Name)
	}
	return all
}

// Environment returns one environment as it is written.
func (f *File) Environment(name string) (Environment, bool) {
	for _, e := range f.Environments {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

// Policy returns the policy of an environment, for a clock, that logs nothing
// and is tied to no replay store.
func (f *File) Policy(env string, now func() time.Time) (core.Config, error) {
	c, err := f.Config(env, config.WithNow(now), config.WithLogger(slog.New(slog.DiscardHandler)))
	c.Replay = core.Replay{}
	return c, errors.Join(err, f.Close())
}

const maxFile = 1 << 20 // as package config has it

// written reads a file that package config has found right in form, so that its
// bounds hold here as well.
func written(path string) (*File, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, errors.New("the file is larger than 1 MiB")
	}
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	return &File{Root: root, Environments: environments(root), absent: map[string][]string{}}, nil
}

func environments(root *Node) (all []Environment) {
	if e := root.Field("environments"); e != nil {
		for _, f := range e.fields {
			all = append(all, Environment{f.name, f.value})
		}
	}
	return all
}
