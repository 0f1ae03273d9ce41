package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerate: the published files are those that the tables generate, byte for byte.
func TestGenerate(t *testing.T) {
	const published = "../../core/testdata/vectors"
	texts, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	again, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if !bytes.Equal(text, again[name]) {
			t.Errorf("%s differs between two runs", name)
		}
		if found, err := os.ReadFile(filepath.Join(published, name)); err != nil || !bytes.Equal(found, text) {
			t.Errorf("%s differs from the generated file (%v): run go generate ./internal/vectors", name, err)
		}
	}
	found, err := filepath.Glob(filepath.Join(published, "*.json"))
	colliding, _ := filepath.Glob(filepath.Join(published, "collisions", "*.json"))
	found = append(found, colliding...)
	if err != nil || len(found) != len(texts) {
		t.Errorf("%d files are published, %d generated (%v)", len(found), len(texts), err)
	}
}
