// Package vectors reads the published test vectors in core/testdata/vectors and
// sets up what each of them is judged by. The format is described in the
// README.md beside the files; the program in conformance/vectors writes them.
package vectors

//go:generate go -C ../../conformance run ./vectors -dir ../core/testdata/vectors
