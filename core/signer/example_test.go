package signer_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// Calls a backend as the gateway would, here one of httptest.
func ExampleTransport() {
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("not-a-secret-to-use")}
	v, err := core.New(core.Config{
		Environment: "TEST",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
	})
	if err != nil {
		log.Fatal(err)
	}
	backend := httptest.NewServer(nethttp.Middleware(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := core.FromContext(r.Context())
		fmt.Fprint(w, "hello, holder of ", id.Key())
	})))
	defer backend.Close()

	client := &http.Client{Transport: &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{})}}
	answer, err := client.Get(backend.URL + "/orders/7?fields=a,b")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, string(body))
	// Output: 200 hello, holder of orders_key
}
