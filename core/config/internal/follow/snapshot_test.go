package follow

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSnapshotIsOneVersion: a volume that is replaced between two reads is read
// on from its old version, and the snapshot knows that it was replaced.
func TestSnapshotIsOneVersion(t *testing.T) {
	dir := t.TempDir()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"..1", "..2"} {
		try(os.Mkdir(filepath.Join(dir, version), 0o700))
		for _, name := range []string{"a", "b"} {
			try(os.WriteFile(filepath.Join(dir, version, name), []byte(name+version), 0o600))
		}
	}
	try(os.Symlink("..1", filepath.Join(dir, "..data")))
	for _, name := range []string{"a", "b"} {
		try(os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)))
	}
	s := newSnapshot()
	a, err := s.Read(filepath.Join(dir, "a"), 64<<10)
	try(err)
	if s.moved() {
		t.Error("moved before the volume was replaced")
	}
	try(os.Symlink("..2", filepath.Join(dir, "..tmp")))
	try(os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	b, err := s.Read(filepath.Join(dir, "b"), 64<<10)
	try(err)
	if string(a) != "a..1" || string(b) != "b..1" {
		t.Errorf("got %s and %s of one volume", a, b)
	}
	if !s.moved() {
		t.Error("not moved after the volume was replaced")
	}
	if again, _ := s.Read(filepath.Join(dir, "a"), 64<<10); string(again) != "a..1" {
		t.Errorf("got %s in the second read of one snapshot", again)
	}
}

// TestSnapshotOfADeletedVolume: a volume that is deleted between two steps of a
// reading makes the reading void, and one that is gone for good does not.
func TestSnapshotOfADeletedVolume(t *testing.T) {
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	a, link := filepath.Join(dir, "a"), filepath.Join(dir, "..data")
	try(os.Symlink(filepath.Join("..data", "a"), a))
	try(os.Symlink("..1", link)) // ..1 is gone already
	for _, next := range []string{"..2", "..3"} {
		s := newSnapshot()
		if _, err := s.Read(a, 64<<10); err == nil {
			t.Fatal("read from a volume that is gone")
		}
		if s.moved() {
			t.Error("void, and nothing has changed")
		}
		try(os.Symlink(next, filepath.Join(dir, "..tmp")))
		try(os.Rename(filepath.Join(dir, "..tmp"), link))
		if !s.moved() {
			t.Errorf("not void, and the link is now to %s, gone as well", next)
		}
	}
	// The same name for another folder.
	for range 2 {
		try(os.RemoveAll(filepath.Join(dir, "..3")))
		try(os.Mkdir(filepath.Join(dir, "..3"), 0o700))
		try(os.WriteFile(filepath.Join(dir, "..3", "a"), nil, 0o600))
	}
	s := newSnapshot()
	_, err := s.Read(a, 64<<10)
	try(err)
	try(os.Rename(filepath.Join(dir, "..3"), filepath.Join(dir, "..old")))
	try(os.Mkdir(filepath.Join(dir, "..3"), 0o700))
	if !s.moved() {
		t.Error("not void, and the folder is another one")
	}
}
