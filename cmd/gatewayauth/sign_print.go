package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
)

// printSigned prints a signed request: its headers, its URL, or a command of
// curl that sends it.
func printSigned(out io.Writer, as string, r *http.Request, body []byte, dataBinary string, presigned bool) error {
	target := r.URL.String()
	switch as {
	case "url":
		fmt.Fprintln(out, target)
		return nil
	case "headers":
		if presigned {
			fmt.Fprintln(out, target)
		}
		if r.Host != r.URL.Host {
			fmt.Fprintf(out, "Host: %s\n", r.Host)
		}
		eachHeader(r.Header, func(name, value string) { fmt.Fprintf(out, "%s: %s\n", name, value) })
		return nil
	}
	command := []string{"curl"}
	if strings.ContainsAny(target, "[]{}") {
		command = append(command, "--globoff")
	}
	if strings.Contains(r.URL.EscapedPath()+"/", "/./") || strings.Contains(r.URL.EscapedPath()+"/", "/../") {
		command = append(command, "--path-as-is")
	}
	switch {
	case r.Method == "HEAD":
		command = append(command, "--head")
	case r.Method != "GET" || len(body) > 0:
		command = append(command, "--request", capture.Quote(r.Method))
	}
	if r.Host != r.URL.Host {
		command = append(command, "--header", capture.Quote("Host: "+r.Host))
	}
	eachHeader(r.Header, func(name, value string) {
		if value == "" {
			command = append(command, "--header", capture.Quote(name+";")) // curl's way to send it empty
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
			return errors.New("the body is not text, so no command can hold it: give it with --data-binary @file")
		default:
			command = append(command, "--data-raw", capture.Quote(string(body)))
		}
	}
	fmt.Fprintln(out, strings.Join(append(command, capture.Quote(target)), " "))
	return nil
}

func eachHeader(h http.Header, f func(name, value string)) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			f(name, value)
		}
	}
}
