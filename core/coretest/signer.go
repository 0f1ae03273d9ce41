package coretest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// This signer is written from docs/protocols.md, "Flat key", and shares no code with the
// verifier. It signs any request, so that cases can show that the verifier refuses
// malformed requests with correct signatures.

// signingKey is a flat SDK-HMAC-SHA256 key.
type signingKey struct{ name, id, secret string }

// sign returns m with an Authorization line that signs the listed headers.
func (k signingKey) sign(m message, list string) message {
	return k.signAs(m, list, payloadLine(m, list))
}

// signAs is like sign, with the given payload line.
func (k signingKey) signAs(m message, list, payload string) message {
	return m.set("Authorization", hmacFields(k.id, list, k.signature(m, list, payload)))
}

func (k signingKey) signature(m message, list, payload string) string {
	digest := sha256.Sum256([]byte(canonicalRequest(m, list, payload)))
	return hexMAC([]byte(k.secret), "SDK-HMAC-SHA256\n"+m.value("X-Sdk-Date")+"\n"+hex.EncodeToString(digest[:]))
}

func canonicalRequest(m message, list, payload string) string {
	path, query, _ := strings.Cut(m.target, "?")
	var headers strings.Builder
	if list != "" {
		for _, name := range strings.Split(list, ";") {
			values := m.values(strings.Trim(name, " "))
			for i := range values {
				values[i] = strings.Trim(values[i], " \t")
			}
			slices.Sort(values)
			for _, value := range values {
				headers.WriteString(strings.ToLower(name) + ":" + value + "\n")
			}
		}
	}
	return strings.Join([]string{strings.ToUpper(m.method), canonicalPath(path), canonicalQuery(query), headers.String(), list, payload}, "\n")
}

// payloadLine returns the value of the digest header if it is signed, or the hash of the
// body.
func payloadLine(m message, list string) string {
	if slices.Contains(strings.Split(list, ";"), "x-sdk-content-sha256") {
		return m.value("X-Sdk-Content-Sha256")
	}
	return bodyHash(m.body)
}

func bodyHash(body string) string {
	digest := sha256.Sum256([]byte(body))
	return hex.EncodeToString(digest[:])
}

func canonicalPath(path string) string {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = percentEncode(segment)
	}
	path = strings.Join(segments, "/")
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path
}

func canonicalQuery(query string) string {
	type pair struct{ name, value string }
	var pairs []pair
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		pairs = append(pairs, pair{queryDecode(name), queryDecode(value)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	encoded := make([]string, len(pairs))
	for i, p := range pairs {
		encoded[i] = percentEncode(p.name) + "=" + percentEncode(p.value)
	}
	return strings.Join(encoded, "&")
}

func queryDecode(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// percentEncode encodes all bytes except the unreserved characters of RFC 3986.
func percentEncode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

func hexMAC(key []byte, text string) string { return hex.EncodeToString(mac(key, text)) }

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// basicAuth returns the Authorization value of a Basic credential.
func basicAuth(credential string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credential))
}
