package sdk

import (
	"crypto/hmac"
	"hash"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/signature"
)

// MAC returns the Key of an HMAC.
func MAC(newHash func() hash.Hash, key []byte) Key {
	return signature.NewMAC(newHash, key)
}

// Chain derives the key of a scoped HMAC from the secret along the parts of
// the scope, terminator included: HMAC(HMAC(prefix+secret, part 1), part 2) ...
func Chain(newHash func() hash.Hash, prefix, secret, scope string) []byte {
	key := []byte(prefix + secret)
	for part := range strings.SplitSeq(scope, "/") {
		h := hmac.New(newHash, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return key
}
