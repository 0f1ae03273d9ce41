package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// Load reads every *.json file at the root of a folder. No file, a file without
// vectors, a field that is not known and a vector that is not complete are
// errors: a test that reads nothing would prove nothing.
func Load(folder fs.FS) ([]*File, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("vectors: no file")
	}
	var files []*File
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		file, err := Read(text)
		if err == nil && file.Scheme != strings.TrimSuffix(path.Base(name), ".json") {
			err = fmt.Errorf("the file holds vectors of scheme %q", file.Scheme)
		}
		if err != nil {
			return nil, fmt.Errorf("vectors: %s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// Read reads one file.
func Read(text []byte) (*File, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f File
	if err := d.Decode(&f); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return &f, f.check()
}

func (f *File) check() error {
	if len(f.Vectors) == 0 {
		return errors.New("no vectors")
	}
	if len(f.Keys) == 0 {
		return errors.New("no keys")
	}
	keys := map[string]bool{"": true}
	for _, key := range f.Keys {
		if keys[key.Name] {
			return fmt.Errorf("key %q: no name, or one that occurs twice", key.Name)
		}
		keys[key.Name] = true
	}
	seen := map[string]bool{}
	for i := range f.Vectors {
		v := &f.Vectors[i]
		if seen[v.Name] {
			return fmt.Errorf("vector %q: the name occurs twice", v.Name)
		}
		seen[v.Name] = true
		if err := v.check(keys); err != nil {
			return fmt.Errorf("vector %q: %w", v.Name, err)
		}
	}
	return nil
}

func (v *Vector) check(keys map[string]bool) error {
	switch {
	case v.Name == "" || v.At.IsZero() || len(v.Request) == 0:
		return errors.New("no name, no instant or no request")
	case !keys[v.Key]:
		return fmt.Errorf("no key is named %q", v.Key)
	case v.Code != "" && core.CodeOf(core.Refuse(v.Code, "")) != v.Code:
		return fmt.Errorf("unknown code %q", v.Code)
	case (v.Code == "") != (v.Identity != nil):
		return errors.New("an identity belongs to accepted requests, and to them alone")
	case (v.CanonicalRequest == "") != (v.StringToSign == ""):
		return errors.New("canonical request and string to sign belong together")
	case v.Identity != nil && v.Identity.Covers.Target != (v.CanonicalRequest != ""):
		return errors.New("an accepted signature has a canonical request")
	case v.Before != nil && (len(v.Before.Request) == 0 || v.Before.Times < 1):
		return errors.New("nothing is sent before")
	}
	return nil
}
