package grpcauth

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// request is a call as an HTTP/2 request. Requests are pooled.
type request struct {
	http.Request
	url    url.URL
	header http.Header
	names  map[string]string // names in metadata -> names in header
}

var requests = sync.Pool{New: func() any {
	return &request{header: make(http.Header), names: make(map[string]string)}
}}

// newRequest returns an HTTP/2 request with the metadata as headers. It does not change
// the metadata.
func newRequest(ctx context.Context, method string, md metadata.MD, body io.ReadCloser) *request {
	r := requests.Get().(*request)
	r.Request = *new(http.Request).WithContext(ctx)
	r.url.Path = method
	r.Method, r.RequestURI, r.URL, r.ProtoMajor = http.MethodPost, method, &r.url, 2
	r.Header, r.Body, r.ContentLength = r.header, body, -1
	for name, values := range md {
		name = strings.ToLower(name) // an interceptor in front may have set it
		switch {
		case name == ":authority" && len(values) == 1:
			r.Host = values[0]
			continue
		case strings.HasPrefix(name, ":"):
			continue
		case strings.HasSuffix(name, "-bin"): // gRPC has decoded it, and the text was signed
			values = slices.Clone(values)
			for i, value := range values {
				values[i] = base64.RawStdEncoding.EncodeToString([]byte(value))
			}
		}
		name = r.canonicalName(name)
		if others := r.header[name]; others != nil {
			values = slices.Concat(others, values)
		}
		r.header[name] = values
	}
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		r.RemoteAddr = p.Addr.String()
	}
	return r
}

// canonicalName is http.CanonicalHeaderKey, which allocates memory for each name that
// net/http does not know.
func (r *request) canonicalName(name string) string {
	canonical, known := r.names[name]
	if !known {
		canonical = http.CanonicalHeaderKey(name)
		if len(name) < 64 && len(r.names) < 64 {
			r.names[name] = canonical
		}
	}
	return canonical
}

// free returns r to the pool. Neither r nor what core has made of it may be used
// afterwards, except for contexts.
func (r *request) free() {
	if len(r.header) > 64 {
		return // its memory would be kept
	}
	clear(r.header)
	r.Request = http.Request{}
	requests.Put(r)
}

// incoming returns the metadata of a call, which must not be changed. gRPC's own function
// returns a copy.
func incoming(ctx context.Context) metadata.MD {
	uncopied := &uncopied{Context: ctx}
	if copied, ok := metadata.FromIncomingContext(uncopied); ok {
		return copied
	}
	return uncopied.md
}

// uncopied is a context that keeps its metadata from gRPC.
type uncopied struct {
	context.Context
	md metadata.MD
}

// Value implements [context.Context].
func (c *uncopied) Value(key any) any {
	value := c.Context.Value(key)
	if md, ok := value.(metadata.MD); ok {
		c.md = md
		return nil
	}
	return value
}

// handlerContext returns the context for the handler: that of the admitted request,
// without the metadata that core removes from requests.
func handlerContext(r *request, admitted *http.Request) context.Context {
	ctx := admitted.Context()
	if len(admitted.Header) == len(r.Header) {
		return ctx
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for name := range r.Header {
		if _, kept := admitted.Header[name]; !kept {
			delete(md, strings.ToLower(name))
		}
	}
	return metadata.NewIncomingContext(ctx, md)
}
