package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// requestArgs are the flags that describe a request, as for curl.
type requestArgs struct {
	method           string
	headers          []string
	data, dataBinary string
}

func (a *requestArgs) flags(f *pflag.FlagSet) {
	f.StringVarP(&a.method, "request", "X", "", "`method` (default GET, or POST with data)")
	f.StringArrayVarP(&a.headers, "header", "H", nil, "'Name: value' sends a `header`, 'Name;' sends an empty one, 'Name:' removes one, 'Name' alone signs one")
	f.StringVarP(&a.data, "data", "d", "", "`body`; @file reads a file and removes its line breaks, as curl does")
	f.StringVar(&a.dataBinary, "data-binary", "", "`body`, unchanged; @file reads a file, @- standard input")
}

// dataGiven reports whether a command has a flag for the body, which may be empty.
func dataGiven(c *cobra.Command) bool {
	return c.Flags().Changed("data") || c.Flags().Changed("data-binary")
}

// request builds the request from the flags, and returns the names of the headers to
// sign besides those that are always signed.
func (a *requestArgs) request(s streams, target string, dataGiven bool) (r *http.Request, body []byte, signed []string, err error) {
	text, binary := a.data, false
	if a.dataBinary != "" {
		if a.data != "" {
			return nil, nil, nil, errors.New("give only one of --data and --data-binary")
		}
		text, binary = a.dataBinary, true
	}
	if body, err = readData(s, text, binary); err != nil {
		return nil, nil, nil, err
	}
	scheme, _, found := strings.Cut(target, "://")
	switch {
	case !found:
		return nil, nil, nil, fmt.Errorf("the URL has no scheme: write http:// or https:// in front, such as http://%s", printable(target))
	case scheme == "grpc" || scheme == "grpcs": // of sign: probe takes them
		return nil, nil, nil, errors.New("sign makes no gRPC calls: try gRPC with gatewayauth probe, which takes this URL, or with a client through gatewayauth gateway")
	}
	u, err := url.Parse(target)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return nil, nil, nil, fmt.Errorf("the URL cannot be parsed: %w", e.Err)
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, nil, errors.New("the URL must be an http or https URL such as https://api.example.com/orders/7")
	}
	method := a.method
	if method == "" {
		method = "GET"
		if dataGiven {
			method = "POST"
		}
	}
	if r, err = http.NewRequest(method, target, bytes.NewReader(body)); err != nil {
		return nil, nil, nil, fmt.Errorf("the request cannot be built: %w", err)
	}
	if len(body) == 0 {
		r.Body, r.GetBody = http.NoBody, nil
	}
	r.URL.Fragment, r.URL.RawFragment, r.URL.User = "", "", nil // not sent, or replaced by the signature
	if dataGiven {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
	}
	seen := map[string]bool{}
	for _, h := range a.headers {
		name, value, found := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		bare, empty := strings.CutSuffix(name, ";") // curl's syntax for an empty header
		if empty = empty && !found; empty {
			name = bare
		}
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case name == "" || strings.ContainsAny(name, " \t;") || strings.ContainsFunc(h, isControl):
			return nil, nil, nil, fmt.Errorf("--header: %q is not a header such as 'X-Tenant: blue'", h)
		case (found || empty) && value != "" && slices.Contains(ownHeaders, canonical):
			return nil, nil, nil, errOwnHeader(canonical)
		case empty:
			r.Header.Set(name, "")
		case !found:
			signed = append(signed, name)
		case canonical == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		case seen[canonical]:
			r.Header.Add(name, value)
		default:
			r.Header.Set(name, value)
			seen[canonical] = true
		}
	}
	for _, name := range signed {
		canonical := http.CanonicalHeaderKey(name)
		if _, there := r.Header[canonical]; !there && canonical != "Host" && !slices.Contains(setBySigning, canonical) {
			return nil, nil, nil, fmt.Errorf("--header %s: the request has no such header; give '%[1]s: value' with -H as well", printable(name))
		}
	}
	return r, body, signed, nil
}

// setBySigning are headers that a request has only once it is signed.
var setBySigning = []string{"X-Sdk-Date", "X-Amz-Date", "X-Sdk-Content-Sha256", "X-Sdk-Content-Sm3", "X-Amz-Content-Sha256", "X-Security-Token", "X-Amz-Security-Token"}

// withoutCredential returns an error if the user gave the header that holds the credential;
// "" is Authorization.
func withoutCredential(r *http.Request, header string) error {
	if header = http.CanonicalHeaderKey(cmp.Or(header, "Authorization")); r.Header.Get(header) != "" {
		return errOwnHeader(header)
	}
	return nil
}

func errOwnHeader(name string) error {
	return fmt.Errorf("--header: %s cannot be given, because signing or sending sets it; --at sets the date, and --data the body", name)
}

// ownHeaders cannot be given: signing sets them, or the body determines them.
var ownHeaders = []string{"X-Sdk-Date", "X-Amz-Date", "Content-Length", "Transfer-Encoding", "Trailer"}

// isControl reports whether c is a control character that a header cannot hold.
func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }

// readData reads the body as curl does.
func readData(s streams, text string, binary bool) ([]byte, error) {
	name, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return []byte(text), nil
	}
	data, err := readInput(s, name)
	if err == nil && !binary {
		data = slices.DeleteFunc(data, func(c byte) bool { return c == '\r' || c == '\n' || c == 0 })
	}
	return data, err
}

// readInput reads a file, or standard input for -, up to the limit.
func readInput(s streams, name string) ([]byte, error) {
	in := s.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, capture.MaxSize+1))
	if err == nil && len(data) > capture.MaxSize {
		err = fmt.Errorf("%s is larger than %d MiB", name, capture.MaxSize>>20)
	}
	return data, err
}

// keep is a RoundTripper that records the signed request.
type keep struct {
	base    http.RoundTripper // nil: nothing is sent
	request *http.Request
}

func (k *keep) RoundTrip(r *http.Request) (*http.Response, error) {
	k.request = r
	if k.base == nil {
		return nil, errors.New("not sent")
	}
	return k.base.RoundTrip(r)
}
