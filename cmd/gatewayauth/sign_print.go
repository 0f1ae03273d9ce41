package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// printSigned prints the headers of a signed request, its URL, or a curl command that
// sends it.
func printSigned(out io.Writer, as string, r *http.Request, body []byte, dataBinary string, presigned bool) error {
	target := r.URL.String()
	switch as {
	case "url":
		if err := onlyURL(r, body, presigned); err != nil {
			return err
		}
		fmt.Fprintln(out, target)
		return nil
	case "headers":
		if presigned {
			fmt.Fprintln(out, target)
		}
		if !followsFrom(r.URL, r.Host) {
			fmt.Fprintf(out, "Host: %s\n", r.Host)
		}
		eachHeader(r.Header, func(name, value string) { fmt.Fprintf(out, "%s: %s\n", name, value) })
		return nil
	}
	command := []string{"curl"}
	if strings.ContainsAny(target, "[]{}") {
		command = append(command, "--globoff")
	}
	if path := strings.ReplaceAll(strings.ToLower(r.URL.EscapedPath()), "%2e", "."); strings.Contains(path+"/", "/./") || strings.Contains(path+"/", "/../") {
		command = append(command, "--path-as-is")
	}
	switch {
	case strings.EqualFold(r.Method, "HEAD") && (len(body) > 0 || r.Method != "HEAD"):
		return errors.New("curl cannot send a HEAD request with a body, or with a method in lower case: use --send")
	case r.Method == "HEAD":
		command = append(command, "--head")
	case r.Method != "GET" || len(body) > 0:
		command = append(command, "--request", capture.Quote(r.Method))
	}
	if !followsFrom(r.URL, r.Host) {
		command = append(command, "--header", capture.Quote("Host: "+r.Host))
	}
	eachHeader(r.Header, func(name, value string) {
		if value == "" {
			command = append(command, "--header", capture.Quote(name+";")) // curl's syntax for an empty header
			return
		}
		command = append(command, "--header", capture.Quote(name+": "+value))
	})
	if len(body) > 0 {
		if r.Header.Get("Content-Type") == "" {
			command = append(command, "--header", "Content-Type:") // or curl sets its own
		}
		switch {
		case strings.HasPrefix(dataBinary, "@") && dataBinary != "@-":
			command = append(command, "--data-binary", capture.Quote(dataBinary))
		case bytes.IndexByte(body, 0) >= 0 || !utf8.Valid(body):
			return errors.New("the body is not text, so the curl command cannot contain it: use --data-binary @file")
		default:
			command = append(command, "--data-raw", capture.Quote(string(body)))
		}
	}
	fmt.Fprintln(out, strings.Join(append(command, capture.Quote(target)), " "))
	return nil
}

// followsFrom reports whether every client sends this Host header for the URL. Clients
// differ in whether they send a default port, upper case, or the zone of an address.
func followsFrom(u *url.URL, host string) bool {
	ownPort := u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
	return host == u.Host && host == strings.ToLower(host) && !ownPort && !strings.HasSuffix(host, ":")
}

// onlyURL returns an error unless the URL alone determines the signed request.
func onlyURL(r *http.Request, body []byte, presigned bool) error {
	switch query := r.URL.Query(); {
	case !presigned:
		return errors.New("--as url: the signature is in headers, which a URL cannot hold; use --expires to sign in the query")
	case r.Method != "GET" || len(body) > 0 || !followsFrom(r.URL, r.Host):
		return errors.New("--as url: a URL cannot hold the signed method, body or Host header; use --as curl")
	case query.Get("X-Sdk-SignedHeaders") != "host" && query.Get("X-Amz-SignedHeaders") != "host":
		return errors.New("--as url: headers are signed, which a URL cannot hold; use --as curl")
	}
	return nil
}

func eachHeader(h http.Header, f func(name, value string)) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			f(name, value)
		}
	}
}
