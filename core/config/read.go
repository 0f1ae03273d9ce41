package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

const (
	maxFile   = 1 << 20  // of an environments file, in bytes
	maxSecret = 64 << 10 // of a file that holds a secret
)

var errNotRegular = errors.New("it is not a regular file")

// readRegular reads a regular file of at most most bytes, following symbolic
// links. It does not wait for a writer where the path is a FIFO.
func readRegular(path string, most int64) ([]byte, error) {
	// Opening some devices has effects, so look first; what was opened is
	// looked at again, since the path may have changed in between.
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
