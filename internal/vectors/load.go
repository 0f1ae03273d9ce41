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

// Load reads every *.json file at the root of a folder. It returns an error if there is
// no file, and for files without vectors, unknown fields and incomplete vectors: a test
// without vectors would test nothing.
func Load(folder fs.FS) ([]*File, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("vectors: the folder has no *.json file")
	}
	var files []*File
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		file, err := Read(text)
		if err == nil && file.Scheme != strings.TrimSuffix(path.Base(name), ".json") {
			err = fmt.Errorf("the file name does not match its scheme %q", file.Scheme)
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
	var f File
	if err := decode(text, &f); err != nil {
		return nil, err
	}
	return &f, f.check()
}

// decode reads the one JSON value of a file, without unknown fields.
func decode(text []byte, file any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(file); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the file has more than one JSON value")
	}
	return nil
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
			return fmt.Errorf("key %q: the name is empty or occurs twice", key.Name)
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
		return errors.New("name, at or request is missing")
	case !keys[v.Key]:
		return fmt.Errorf("key: there is no key with the name %q", v.Key)
	case v.Code != "" && core.CodeOf(core.Refuse(v.Code, "")) != v.Code:
		return fmt.Errorf("code: %q is unknown", v.Code)
	case (v.Code == "") != (v.Identity != nil):
		return errors.New("identity must be set if the request is accepted, and only then")
	case (v.CanonicalRequest == "") != (v.StringToSign == ""):
		return errors.New("canonical_request and string_to_sign must both be set, or neither")
	case v.Identity != nil && v.Identity.Covers.Target != (v.CanonicalRequest != ""):
		return errors.New("canonical_request is missing, and the request is accepted")
	case v.Before != nil && (len(v.Before.Request) == 0 || v.Before.Times < 1):
		return errors.New("before has no request, or times is 0")
	}
	return nil
}
