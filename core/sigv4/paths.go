package sigv4

import (
	"fmt"
	"strings"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
	"github.com/gatewayauth/gatewayauth/core/internal/signing"
)

// Paths says how signers write the path into the canonical request. It belongs
// to the service that they sign for.
type Paths uint8

const (
	// Normalized: dot segments and empty segments are resolved, and the path as
	// it stood on the wire is encoded once more. This is the rule of every
	// service but S3. Paths that normalising changes (//, /./, /../) are
	// refused, since they would share a signature with the path that they are
	// resolved to; what is encoded (%2F, %61, %2E%2E) is signed as it stands.
	// All other paths are signed alike by signers that do not normalise.
	Normalized Paths = iota
	// S3: the path is decoded once and encoded once, and nothing is resolved:
	// // and dot segments belong to the names of objects and are signed as they
	// stand. A router that resolves them serves another path than the one that
	// was signed. Refused is what would share a signature with a spelling that
	// routers tell apart: an encoded slash (%2F), an encoded letter, digit or
	// one of - _ . ~ (%61, %2E), and a backslash that is not encoded; signers
	// for S3 send none of these. Other characters have one signature whether
	// they are encoded or not (: and %3A), and %c3 has that of %C3.
	//
	// For keys whose Service is s3, or starts with s3-, it means as well that a
	// credential in the query that does not declare the body leaves it unsigned.
	S3
)

// String returns normalized or s3.
func (p Paths) String() string {
	switch p {
	case Normalized:
		return "normalized"
	case S3:
		return "s3"
	}
	return fmt.Sprintf("Paths(%d)", uint8(p))
}

// ParsePaths reads normalized or s3; the empty text is Normalized.
func ParsePaths(text string) (Paths, error) {
	switch text {
	case "", "normalized":
		return Normalized, nil
	case "s3":
		return S3, nil
	}
	return Normalized, fmt.Errorf("paths %q is none of normalized, s3", text)
}

// rules returns what the schemes do by p.
func (p Paths) rules(wildcards bool) signing.Rules {
	if p == S3 {
		return signing.Rules{Path: canonical.EncodedOnce, UnsignedPresigned: isS3, RegionWildcards: wildcards}
	}
	return signing.Rules{Path: canonical.EncodedTwice, RegionWildcards: wildcards}
}

// isS3 reports the services of S3, for which a credential in the query leaves the
// body unsigned where it says nothing about it.
func isS3(service string) bool { return service == "s3" || strings.HasPrefix(service, "s3-") }
