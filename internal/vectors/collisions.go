package vectors

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// A CollisionFile has the collisions of one scheme, in the folder collisions.
type CollisionFile struct {
	Scheme  string      `json:"scheme"`
	Keys    []Key       `json:"keys"`
	Vectors []Collision `json:"vectors"`
}

// A Collision is a list of requests that differ and have the same canonical request.
type Collision struct {
	Name    string    `json:"name"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
	Key     string    `json:"key"`
	Policy  *Policy   `json:"policy,omitempty"`
	// Requests have the same credential.
	Requests         []Colliding `json:"requests"`
	CanonicalRequest string      `json:"canonical_request"`
	StringToSign     string      `json:"string_to_sign"`
}

// Colliding is one request of a collision, and its verdict: empty if it is accepted.
type Colliding struct {
	Request []byte    `json:"request"`
	Code    core.Code `json:"code"`
}

// LoadCollisions reads the collisions of a folder of vectors. It is as strict as [Load].
func LoadCollisions(folder fs.FS) ([]*CollisionFile, error) {
	names, err := fs.Glob(folder, "collisions/*.json")
	if err == nil && len(names) == 0 {
		err = errors.New("vectors: the folder has no file collisions/*.json")
	}
	var files []*CollisionFile
	for _, name := range names {
		f, e := readCollisions(folder, name)
		if e != nil {
			return nil, fmt.Errorf("vectors: %s: %w", name, e)
		}
		files = append(files, f)
	}
	return files, err
}

func readCollisions(folder fs.FS, name string) (*CollisionFile, error) {
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	var f CollisionFile
	if err := decode(text, &f); err != nil {
		return nil, err
	}
	if f.Scheme != strings.TrimSuffix(path.Base(name), ".json") || len(f.Vectors) == 0 {
		return nil, errors.New("the file does not have the name of its scheme, or has no vectors")
	}
	seen := map[string]bool{}
	for _, c := range f.Vectors {
		switch {
		case c.Name == "" || seen[c.Name]:
			return nil, fmt.Errorf("vector %q: the name is empty or occurs twice", c.Name)
		case len(c.Requests) < 2 || c.CanonicalRequest == "" || c.StringToSign == "":
			return nil, fmt.Errorf("vector %q: it has fewer than two requests, or no canonical request or string to sign", c.Name)
		}
		seen[c.Name] = true
	}
	return &f, nil
}
