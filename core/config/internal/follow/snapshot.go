package follow

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Snapshot holds the content of files, each read once.
//
// Kubernetes mounts a volume as links into the folder that the link ..data
// names, and changes it by replacing ..data. A Snapshot resolves the link once for
// all files below it, so that they come from one version of the volume.
type Snapshot struct {
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

// Sum is a hash over the paths and contents of all files of a Snapshot.
type Sum [sha256.Size]byte

func newSnapshot() *Snapshot {
	return &Snapshot{files: map[string]reading{}, links: map[string]volume{}}
}

// attempts bounds how often Once reads files of a volume that is replaced meanwhile.
const attempts = 10

// Once calls read with a new Snapshot, and again while a volume is replaced during
// the call, so that all files are of one version.
func Once(read func(*Snapshot)) {
	for attempt := 1; ; attempt++ {
		s := newSnapshot()
		if read(s); attempt == attempts || !s.moved() {
			return
		}
	}
}

const volumeLink = "..data"

// Read returns the content of a regular file of at most most bytes, the same at
// every call. Symbolic links are followed. The error does not name the path.
func (s *Snapshot) Read(path string, most int64) ([]byte, error) {
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
func (s *Snapshot) resolve(path string) string {
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

// followLink finds the volume of a folder. If the target is deleted while
// followLink runs, the volume has no target; its link still differs from the next one.
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

// moved reports whether a volume was replaced since its link was read. Files may
// then have been missing because the old version was deleted. Kubernetes replaces
// the link before it deletes, so moved notices every such case.
func (s *Snapshot) moved() bool {
	for dir, v := range s.links {
		if !v.equal(followLink(dir)) {
			return true
		}
	}
	return false
}

// Sum hashes what was read so far.
func (s *Snapshot) Sum() Sum {
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
	return Sum(h.Sum(nil))
}

var errNotRegular = errors.New("it is not a regular file")

// readRegular reads a regular file. It does not wait for a writer if the path is a
// FIFO.
func readRegular(path string, most int64) ([]byte, error) {
	// Opening some devices has effects, so check first. Check again what was
	// opened, since the path may have changed in between.
	if info, err := os.Stat(path); err != nil {
		return nil, bare(err)
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, bare(err)
	} else if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, bare(err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("it is larger than %d KiB", most>>10)
	}
	return data, nil
}

// bare returns err without the path, which the caller names.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
