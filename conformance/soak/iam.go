package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// The tokens that the identity service knows: that of the verifiers, and that of the
// clients.
const (
	ownToken    = "token-of-the-verifiers"
	callerToken = "token-of-the-clients"
)

// serveIAM serves an identity service for the keys of type token, and returns its URL.
func serveIAM() (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodPost:
			w.Header().Set("X-Subject-Token", ownToken)
			w.WriteHeader(http.StatusCreated)
		case r.Header.Get("X-Auth-Token") != ownToken:
			w.WriteHeader(http.StatusUnauthorized)
		case r.Header.Get("X-Subject-Token") != callerToken:
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprintf(w, `{"token": {"expires_at": %q, "user": {"id": "1"}}}`, time.Now().Add(24*time.Hour).UTC().Format(time.RFC3339))
	})}
	// A policy leaves its idle connections open for 30 seconds. Thirty of them would hide what
	// else is left of a request.
	server.SetKeepAlivesEnabled(false)
	go server.Serve(l)
	return "http://" + l.Addr().String(), func() { server.Close() }, nil
}
