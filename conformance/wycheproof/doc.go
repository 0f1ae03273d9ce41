// Package wycheproof runs project Wycheproof's vectors against the functions
// that decide about signatures: package internal/signature, which the schemes of
// core/apig and core/sigv4 verify with.
package wycheproof
