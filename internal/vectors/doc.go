// Package vectors reads the published test vectors in core/testdata/vectors, and creates
// the verifier for each of them. README.md in that folder describes the format. The
// program in conformance/vectors writes the files.
package vectors

//go:generate go -C ../../conformance run ./vectors -dir ../core/testdata/vectors
