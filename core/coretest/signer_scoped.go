package coretest

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// P1 with the credentials of other schemes, each correctly computed with k1's secret
// (docs/protocols.md, "Scoped key", "V11" and "SigV4").

const credentialScope = "20260115/cn-north-4/apig"

func scopedForm() message {
	const scope = credentialScope + "/sdk_request"
	return signScoped(p1(), "SDK-HMAC-SHA256", derive("SDK", scope), scope, plain)
}

func aws4Form() message {
	const scope = credentialScope + "/aws4_request"
	m := p1().without("X-Sdk-Date").with("X-Amz-Date: " + today)
	return signScoped(m, "AWS4-HMAC-SHA256", derive("AWS4", scope), scope, "host;x-amz-date")
}

func v11Form() message {
	key, err := hkdf.Key(sha256.New, []byte(k1.secret), []byte(k1.id), credentialScope, sha256.Size)
	if err != nil {
		panic(err) // impossible: the arguments are constant
	}
	return signScoped(p1(), "V11-HMAC-SHA256", []byte(hex.EncodeToString(key)), credentialScope, plain)
}

// derive returns the key that a chain of MACs over the parts of a scope derives.
func derive(prefix, scope string) []byte {
	key := []byte(prefix + k1.secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	return key
}

func signScoped(m message, algorithm string, key []byte, scope, list string) message {
	canonical := canonicalRequest(m, list, bodyHash(m.body))
	if algorithm == "AWS4-HMAC-SHA256" {
		canonical = strings.Replace(canonical, "/v1/items/\n", "/v1/items\n", 1) // SigV4 adds no slash
	}
	text := strings.Join([]string{algorithm, m.value("X-Sdk-Date") + m.value("X-Amz-Date"), scope, bodyHash(canonical)}, "\n")
	return m.set("Authorization", algorithm+" Credential="+k1.id+"/"+scope+", SignedHeaders="+list+", Signature="+hexMAC(key, text))
}
