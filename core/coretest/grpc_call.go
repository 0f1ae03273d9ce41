package coretest

import (
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// echo is the path prefix of the service's methods.
const echo = "/gatewayauth.coretest.Echo/"

// frames returns the body of a call with these messages: each is a BytesValue of less
// than 128 bytes, after its prefix.
func frames(values ...string) string {
	var b []byte
	for _, value := range values {
		size := 0
		if value != "" { // fields with their default value are not sent
			size = len(value) + 2
		}
		b = binary.BigEndian.AppendUint32(append(b, 0), uint32(size))
		if size > 0 {
			b = append(append(b, 0x0a, byte(len(value))), value...)
		}
	}
	return string(b)
}

// calling returns an unsigned call.
func calling(method string, values ...string) message {
	return message{method: "POST", target: echo + method, proto: "HTTP/2.0", body: frames(values...),
		lines: []string{"Host: " + host, "X-Sdk-Date: " + today}}
}

// hashed signs with the hash of the body, declared with its digest in a header.
func hashed(m message) message { return k1.sign(m, plain) }

func withDigest(m message) message { return withPayload(m, bodyHash(m.body)) }

func withPayload(m message, payload string) message {
	return k1.sign(m.set("X-Sdk-Content-Sha256", payload), digestList)
}

// call sends m. It returns status, message and details in the header of the answer, also
// if they arrived as trailers.
func (b *grpcBench) call(m message) (answer, error) {
	t := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	t.Protocols.SetUnencryptedHTTP2(true)
	defer t.CloseIdleConnections()
	r, err := http.NewRequest(m.method, "http://"+b.addr+m.target, strings.NewReader(m.body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Te", "trailers")
	for _, line := range m.lines {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "Content-Type":
			r.Header.Set(name, value)
		default:
			r.Header.Add(name, value)
		}
	}
	res, err := t.RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: http.Header{}}
	for _, name := range []string{"Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"} {
		if value := res.Header.Get(name) + res.Trailer.Get(name); value != "" {
			a.header.Set(name, value)
		}
	}
	if status, err := strconv.Atoi(a.header.Get("Grpc-Status")); err == nil {
		a.status = status
	}
	// Decoded, so that a secret in it is found.
	details, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(a.header.Get("Grpc-Status-Details-Bin"), "="))
	a.body = string(details)
	a.header.Del("Grpc-Status-Details-Bin")
	return a, nil
}

// small sets a low limit for bodies.
func small(c *core.Config) { c.MaxBody = 16 }
