package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/token"
)

const (
	callersKey = "token_key"
	// unansweredKey is a key whose identity service does not answer.
	unansweredKey = "unanswered_key"
	servicePass   = "password-of-the-service"
)

// tokenKeys returns the keys for the identity service, which has an account for the
// backend.
func tokenKeys(identity string) []token.Key {
	known := token.Key{Name: callersKey, IAMURL: identity, InsecureHTTP: true, // on loopback
		User: "service", Password: core.NewSecret(servicePass), Domain: "Default", Project: "service", CallerProject: "blue"}
	unanswered := known
	unanswered.Name, unanswered.IAMURL = unansweredKey, "http://127.0.0.1:1"
	return []token.Key{known, unanswered}
}

// startIdentity starts a fake Keystone, and returns its URL.
func startIdentity() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(listener, http.HandlerFunc(identify))
	return "http://" + listener.Addr().String(), nil
}

// projects has the projects of the valid tokens.
var projects = map[string]string{"token-of-blue": "blue", "token-of-green": "green"}

func identify(w http.ResponseWriter, r *http.Request) {
	project, status := projects[r.Header.Get("X-Subject-Token")], http.StatusOK
	login, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == http.MethodPost && strings.Contains(string(login), servicePass):
		project, status = "service", http.StatusCreated
		w.Header().Set("X-Subject-Token", "token-of-the-service")
	case r.Header.Get("X-Auth-Token") != "token-of-the-service":
		status = http.StatusUnauthorized
	case project == "":
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"token": {"user": {"id": "u"}, "project": {"id": %q}, "expires_at": %q}}`,
		project, time.Now().UTC().Add(time.Hour).Format(time.RFC3339))
}
