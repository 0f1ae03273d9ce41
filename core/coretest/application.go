package coretest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// application is the handler behind the adapter. It reads the whole body and records each
// request as it received it.
type application struct {
	// then, if set, is called before the body is read, and may write a response.
	then func(w http.ResponseWriter, r *http.Request)

	seen kept[sight]
}

// sight is the request that one run of the handler received.
type sight struct {
	identity      *core.Identity
	identified    bool
	header        http.Header
	path          string
	contentLength int64
	noBody        bool
	bodySize      int64
	bodyHash      string
	bodyErr       error
	trailer       http.Header // as it is after the body was read
}

// ServeHTTP implements [http.Handler].
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.then != nil {
		a.then(w, r)
	}
	a.seen.add(look(r))
	io.WriteString(w, "ok")
}

// look reads the request. It hashes large bodies without copying them, so that a case can
// measure the memory that the verifier uses.
func look(r *http.Request) sight {
	s := sight{header: r.Header.Clone(), path: r.URL.Path, contentLength: r.ContentLength, noBody: r.Body == http.NoBody}
	s.identity, s.identified = core.FromContext(r.Context())
	hash := sha256.New()
	s.bodySize, s.bodyErr = io.Copy(hash, r.Body)
	s.bodyHash = hex.EncodeToString(hash.Sum(nil))
	s.trailer = r.Trailer.Clone()
	return s
}
