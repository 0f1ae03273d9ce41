package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// answer is the JSON of the response: the identity of the request, and its body's length
// and hash.
type answer struct {
	Verified      bool     `json:"verified"`
	Key           string   `json:"key"`
	Scheme        string   `json:"scheme"`
	Environment   string   `json:"environment"`
	SignedHeaders []string `json:"signed_headers"`
	Payload       string   `json:"payload"`
	BodyBytes     int64    `json:"body_bytes"`
	BodySHA256    string   `json:"body_sha256"`
}

func handle(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	if refusal, ok := errors.AsType[*core.Error](err); ok { // the verdict on a body that is read as it arrives
		core.WriteProblem(w, r, refusal)
		return
	}
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the body could not be read: "+err.Error(), status)
		return
	}
	a := answer{SignedHeaders: []string{}, Payload: core.PayloadNone.String(), BodyBytes: n, BodySHA256: hex.EncodeToString(hash.Sum(nil))}
	if id, ok := core.FromContext(r.Context()); ok {
		a.Verified, a.Key, a.Scheme, a.Environment = true, id.Key(), id.Scheme(), id.Environment()
		a.SignedHeaders, a.Payload = id.SignedHeaders(), id.Payload().String()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK) // Gin has no route for the path, and would send 404
	json.NewEncoder(w).Encode(a)
}
