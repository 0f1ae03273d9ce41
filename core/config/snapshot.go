package config

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
)

// snapshot reads files once each and remembers what it read: a load sees one
// content of every file, and the sum over all of it tells two readings apart.
//
// Kubernetes mounts a volume as links into the folder that the link ..data
// names, and changes it by replacing ..data. The link is resolved once for all
// files below it, so that they come from one version of the volume.
type snapshot struct {
	order []string
	files map[string]reading
	links map[string]volume // by the folder that has, or has not, a ..data link
}

// volume is what a ..data link led to; the zero volume is none.
type volume struct {
	link   string      // its text
	target string      // the folder, "" where there is none
	info   os.FileInfo // of that
}

type reading struct {
	data []byte
	err  error
}

// fingerprint stands for the content of all files of a snapshot.
type fingerprint [sha256.Size]byte

func newSnapshot() *snapshot {
	return &snapshot{files: map[string]reading{}, links: map[string]volume{}}
}

const volumeLink = "..data"

// read returns the content of a regular file, with an error that does not name
// the path.
func (s *snapshot) read(path string, most int64) ([]byte, error) {
	path = filepath.Clean(path)
	if r, ok := s.files[path]; ok {
		return r.data, r.err
	}
	data, err := readRegular(s.resolve(path), most)
	s.files[path] = reading{data, err}
	s.order = append(s.order, path)
	return data, err
}

// resolve replaces the nearest folder above path that has a ..data link by what
// the link leads to.
func (s *snapshot) resolve(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		v, seen := s.links[dir]
		if !seen {
			v = followLink(dir)
			s.links[dir] = v
		}
		if v.target != "" {
			inside, err := filepath.Rel(dir, path)
			if err != nil || !throughLink(dir, inside) {
				return path // beside the volume's files
			}
			return filepath.Join(v.target, inside)
		}
		if parent := filepath.Dir(dir); parent == dir {
			return path
		}
	}
}

// followLink finds the volume of a folder. Where the link is replaced and what it
// led to deleted in between, the volume has no target, and its link tells that
// it is not the one that is there later.
func followLink(dir string) (v volume) {
	path := filepath.Join(dir, volumeLink)
	link, err := os.Readlink(path)
	if err != nil {
		return v
	}
	v.link = link
	if target, err := filepath.EvalSymlinks(path); err == nil {
		if v.info, err = os.Stat(target); err == nil {
			v.target = target
		}
	}
	return v
}

func (v volume) equal(other volume) bool {
	return v.link == other.link && v.target == other.target && (v.target == "" || os.SameFile(v.info, other.info))
}

// throughLink reports whether the first part of a path inside of dir is the
// link through ..data that Kubernetes makes.
func throughLink(dir, inside string) bool {
	first, _, _ := strings.Cut(inside, string(filepath.Separator))
	target, err := os.Readlink(filepath.Join(dir, first))
	return err == nil && target == filepath.Join(volumeLink, first)
}

// moved reports whether a volume was replaced since its link was read: then files
// may have been missing because the volume was deleted meanwhile. The link is
// replaced before that, so nothing goes unnoticed.
func (s *snapshot) moved() bool {
	for dir, v := range s.links {
		if !v.equal(followLink(dir)) {
			return true
		}
	}
	return false
}

func (s *snapshot) sum() fingerprint {
	h := sha256.New()
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, path := range s.order {
		r := s.files[path]
		part([]byte(path))
		part(r.data)
		if r.err != nil {
			part([]byte(r.err.Error()))
		} else {
			part(nil)
		}
	}
	return fingerprint(h.Sum(nil))
}
