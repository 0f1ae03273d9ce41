package routers

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"connectrpc.com/connect"
	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// The keys of the examples. The policy binds /admin/ and everything below it to one, and
// every other path to the other.
var (
	ordersKey = core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("a-secret-of-the-gateway")}
	adminKey  = core.Key{Name: "admin_key", ID: "9c4a1d0b7e2f4a36", Secret: core.NewSecret("another-secret-of-the-gateway")}
)

func newVerifier() *core.Verifier {
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(ordersKey, adminKey)})},
		APIs:        []core.API{{Match: "/admin/", Key: "admin_key"}, {Match: "GET /healthz", Open: true}},
		Default:     "orders_key",
		Logger:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// handle returns a handler that responds with its name, the path that it sees, and the key.
func handle(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := "nobody"
		if id, ok := core.FromContext(r.Context()); ok {
			key = id.Key()
		}
		fmt.Fprintf(w, "%s %s by %s", name, r.URL.Path, key)
	}
}

// chiApp has the middleware around the router, so that it runs before chi answers 404 and 405.
func chiApp(v *core.Verifier) http.Handler {
	admin := chi.NewRouter()
	admin.Get("/users/{id}", handle("user"))

	r := chi.NewRouter()
	r.Get("/healthz", handle("health"))
	r.Get("/orders/{id}", handle("order"))
	r.Post("/orders/{id}", handle("order"))
	r.Mount("/admin", admin) // patterns of the policy have the whole path: /admin/users/{id}
	return nethttp.Middleware(v)(r)
}

// gorillaApp has the middleware around the router: what Router.Use adds runs only for paths
// that match a route, and after redirects to clean paths.
func gorillaApp(v *core.Verifier) http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/healthz", handle("health"))
	r.HandleFunc("/orders/{id}", handle("order")).Methods("GET", "POST")
	admin := r.PathPrefix("/admin").Subrouter()
	admin.HandleFunc("/users/{id}", handle("user"))
	return nethttp.Middleware(v)(r)
}

// groupsApp has the middleware around single groups of routes. The open route needs no API in the policy.
func groupsApp(v *core.Verifier) http.Handler {
	verify := nethttp.Middleware(v)
	orders := http.NewServeMux()
	orders.HandleFunc("/orders/{id}", handle("order"))
	admin := http.NewServeMux()
	admin.HandleFunc("/users/{id}", handle("user"))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", handle("health"))
	mux.Handle("/orders/", verify(orders))
	mux.Handle("/admin/", verify(http.StripPrefix("/admin", admin))) // the received path is verified, with its prefix
	return mux
}

// connectApp has the middleware around the handlers, so that a refused call does not reach
// connect. The caller gets the code unauthenticated for 401.
func connectApp(v *core.Verifier) http.Handler {
	greet := func(ctx context.Context, r *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
		id, _ := core.FromContext(ctx)
		return connect.NewResponse(wrapperspb.String(r.Msg.Value + " by " + id.Key())), nil
	}
	rpc := http.NewServeMux()
	rpc.Handle(orderProcedure, connect.NewUnaryHandler(orderProcedure, greet))
	rpc.Handle(userProcedure, connect.NewUnaryHandler(userProcedure, greet))

	mux := http.NewServeMux()
	mux.Handle("/", rpc)
	mux.Handle("/admin/", http.StripPrefix("/admin", rpc)) // the received path is verified, with its prefix
	return nethttp.Middleware(v)(mux)
}

const orderProcedure, userProcedure = "/orders.v1.Orders/Get", "/users.v1.Users/Get"

// call sends a request to h over a socket, signed with the key, and returns the response. If
// change is not nil, it changes the signed request.
func call(h http.Handler, key core.Key, method, target, body string, change func(*http.Request)) (int, string) {
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.NewRequest(method, server.URL+target, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	client := server.Client()
	client.Transport = &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{}), Base: changed{client.Transport, change}}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// changed changes requests behind the signer, as someone between gateway and backend could.
type changed struct {
	http.RoundTripper
	change func(*http.Request)
}

func (c changed) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.change != nil {
		r = r.Clone(r.Context())
		c.change(r)
	}
	return c.RoundTripper.RoundTrip(r)
}

func show(h http.Handler) {
	for _, tt := range []struct {
		name, target string
		key          core.Key
		change       func(*http.Request)
	}{
		{"signed", "/orders/7", ordersKey, nil},
		{"another path than the signed one", "/orders/7", ordersKey, func(r *http.Request) { r.URL.Path = "/orders/8" }},
		{"unsigned", "/orders/7", ordersKey, func(r *http.Request) { r.Header.Del("Authorization") }},
		{"in the mounted router", "/admin/users/7", adminKey, nil},
		{"in the mounted router, the key of another API", "/admin/users/7", ordersKey, nil},
	} {
		status, body := call(h, tt.key, "GET", tt.target, "", tt.change)
		if status != http.StatusOK {
			body = http.StatusText(status)
		}
		fmt.Printf("%s: %d %s\n", tt.name, status, body)
	}
}

func Example_chi() {
	show(chiApp(newVerifier()))
	// Output:
	// signed: 200 order /orders/7 by orders_key
	// another path than the signed one: 401 Unauthorized
	// unsigned: 401 Unauthorized
	// in the mounted router: 200 user /admin/users/7 by admin_key
	// in the mounted router, the key of another API: 403 Forbidden
}

func Example_gorillaMux() {
	show(gorillaApp(newVerifier()))
	// Output:
	// signed: 200 order /orders/7 by orders_key
	// another path than the signed one: 401 Unauthorized
	// unsigned: 401 Unauthorized
	// in the mounted router: 200 user /admin/users/7 by admin_key
	// in the mounted router, the key of another API: 403 Forbidden
}

func Example_groups() {
	show(groupsApp(newVerifier()))
	// Output:
	// signed: 200 order /orders/7 by orders_key
	// another path than the signed one: 401 Unauthorized
	// unsigned: 401 Unauthorized
	// in the mounted router: 200 user /users/7 by admin_key
	// in the mounted router, the key of another API: 403 Forbidden
}

func Example_connect() {
	server := httptest.NewServer(connectApp(newVerifier()))
	defer server.Close()
	for _, key := range []core.Key{ordersKey, adminKey} {
		client := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](
			&http.Client{Transport: &signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{})}}, server.URL+"/admin"+userProcedure)
		answer, err := client.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("user 7")))
		if err != nil {
			fmt.Println(connect.CodeOf(err))
			continue
		}
		fmt.Println(answer.Msg.Value)
	}
	// Output:
	// permission_denied
	// user 7 by admin_key
}
