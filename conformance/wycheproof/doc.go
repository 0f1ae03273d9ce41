// Package wycheproof runs project Wycheproof's vectors against package
// internal/signature, with which core/apig and core/sigv4 verify signatures.
package wycheproof
