package gatewayauth_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// accepts: the verifier accepts a request at its date, and not with another last character
// of the credential.
func (s *section) accepts(scheme core.Scheme, timestamp, credential string, request []byte) {
	at, err := time.Parse("20060102T150405Z", timestamp)
	if err != nil {
		panic(err)
	}
	v, err := core.New(core.Config{Environment: "prod", Schemes: []core.Scheme{scheme}, Default: "k",
		RequireSigned: []string{}, AllowPresigned: true, AllowUnsignedPayload: true,
		Now: func() time.Time { return at }, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	if code := verdict(v, request); code != "" {
		s.faultf("got %s, want accepted:\n%s", code, request)
	}
	last := credential[len(credential)-1]
	other := map[bool]string{true: "1", false: "0"}[last == '0']
	changed := bytes.Replace(request, []byte(credential), []byte(credential[:len(credential)-1]+other), 1)
	if code := verdict(v, changed); code == "" {
		s.faultf("a changed credential is accepted:\n%s", changed)
	}
}

func verdict(v *core.Verifier, request []byte) core.Code {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		panic(err)
	}
	defer core.Release(r)
	if _, err = v.Verify(r); err == nil {
		return ""
	}
	return core.CodeOf(err)
}

func lines(text ...string) string { return strings.Join(text, "\n") }

// split returns the target of a request, and its headers as the canonical headers of one
// whose headers are all signed and sorted.
func split(request string) (target, headers string) {
	first, rest, _ := strings.Cut(request, "\n")
	var sorted []string
	for line := range strings.SplitSeq(rest, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		sorted = append(sorted, strings.ToLower(name)+":"+value)
	}
	slices.Sort(sorted)
	return strings.Fields(first)[1], lines(sorted...)
}

func authorization(start, canonical, signature string) string {
	parts := strings.Split(canonical, "\n")
	return "Authorization: " + start + ", SignedHeaders=" + parts[len(parts)-2] + ", Signature=" + signature
}

// message returns a request with the headers of its canonical request.
func message(line, canonical, authorization, body string) []byte {
	headers, _, _ := strings.Cut(strings.SplitN(canonical, "\n", 4)[3], "\n\n")
	if !strings.Contains("\n"+headers, "\nhost:") {
		headers += "\nhost: any"
	}
	return wire(lines(line+" HTTP/1.1", headers, authorization), body)
}

// presigned returns the request of a canonical request of the query form.
func presigned(path, canonical, name, signature string) []byte {
	query := strings.SplitN(canonical, "\n", 4)[2]
	return message("GET "+path+"?"+query+"&"+name+"="+signature, canonical, "X-Unsigned: 1", "")
}

// wire returns the bytes of a request that is written with LF, with body.
func wire(request, body string) []byte {
	if body != "" {
		request += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	return []byte(strings.ReplaceAll(request, "\n", "\r\n") + "\r\n\r\n" + body)
}

func digest(newHash func() hash.Hash, text string) string {
	h := newHash()
	io.WriteString(h, text)
	return hex.EncodeToString(h.Sum(nil))
}

func mac(newHash func() hash.Hash, key, text string) string {
	h := hmac.New(newHash, []byte(key))
	io.WriteString(h, text)
	return hex.EncodeToString(h.Sum(nil))
}

// chain derives a signing key along a scope, and returns the first and the last key.
func chain(key, scope string) (first, last string) {
	for part := range strings.SplitSeq(scope, "/") {
		if key = string(unhex(mac(sha256.New, key, part))); first == "" {
			first = key
		}
	}
	return first, key
}

func unhex(digits string) []byte {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return b
}
