package routers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// TestMounted_T216: behind routers that need no adapter, requests are accepted as signed and
// refused after any change, also below a prefix that the router or StripPrefix removes.
func TestMounted_T216(t *testing.T) {
	path := func(to string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = to } }
	for name, app := range map[string]func(*core.Verifier) http.Handler{"chi": chiApp, "gorilla/mux": gorillaApp, "groups": groupsApp} {
		status := func(around, inside int) int {
			if name != "groups" {
				return around
			}
			return inside
		}
		for _, tt := range []struct {
			name, method, target, body string
			key                        core.Key
			change                     func(*http.Request)
			status                     int
		}{
			{"as signed", "GET", "/orders/7", "", ordersKey, nil, 200},
			{"as signed, with a query", "GET", "/orders/7?b=2&a=1", "", ordersKey, nil, 200},
			{"as signed, with a body", "POST", "/orders/7", "a=1", ordersKey, nil, 200},
			{"another path", "GET", "/orders/7", "", ordersKey, path("/orders/8"), 401},
			{"another query", "GET", "/orders/7?a=1", "", ordersKey, func(r *http.Request) { r.URL.RawQuery = "a=2" }, 401},
			{"another method", "GET", "/orders/7", "", ordersKey, func(r *http.Request) { r.Method = "POST" }, 401},
			{"another body", "POST", "/orders/7", "a=1", ordersKey, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("a=2")) }, 401},
			{"unsigned", "GET", "/orders/7", "", ordersKey, func(r *http.Request) { r.Header.Del("Authorization") }, 401},
			{"the key of another API", "GET", "/orders/7", "", adminKey, nil, 403},
			{"below the prefix", "GET", "/admin/users/7", "", adminKey, nil, 200},
			{"below the prefix, the key of another API", "GET", "/admin/users/7", "", ordersKey, nil, 403},
			{"signed without the prefix", "GET", "/users/7", "", adminKey, path("/admin/users/7"), 401},
			{"signed with the prefix", "GET", "/admin/users/7", "", adminKey, path("/users/7"), status(401, 404)},
			{"below the prefix, unknown, unsigned", "GET", "/admin/x", "", adminKey, func(r *http.Request) { r.Header.Del("Authorization") }, 401},
			{"unknown, signed", "GET", "/nothing", "", ordersKey, nil, 404},
			{"unknown, unsigned", "GET", "/nothing", "", ordersKey, func(r *http.Request) { r.Header.Del("Authorization") }, status(401, 404)},
			{"two slashes, unsigned", "GET", "/nothing", "", ordersKey, func(r *http.Request) {
				r.URL.Path = "//admin/users/7"
				r.Header.Del("Authorization")
			}, status(400, 307)}, // ServeMux redirects
			{"open", "GET", "/healthz", "", ordersKey, func(r *http.Request) { r.Header.Del("Authorization") }, 200},
		} {
			got, body := call(app(newVerifier()), tt.key, tt.method, tt.target, tt.body, tt.change)
			if got != tt.status || got == 200 && tt.name != "open" && !strings.HasSuffix(body, " by "+tt.key.Name) {
				t.Errorf("%s, %s: got %d %q, want %d", name, tt.name, got, body, tt.status)
			}
		}
	}
}

// TestMountedConnect_T216: unary calls of every protocol that connect has are verified with
// their messages.
func TestMountedConnect_T216(t *testing.T) {
	server := httptest.NewUnstartedServer(connectApp(newVerifier()))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	defer http2.CloseIdleConnections()
	other := func(r *http.Request) { // another message of the same length
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(strings.Replace(string(body), "7", "8", 1)))
	}
	for protocol, options := range map[string][]connect.ClientOption{
		"Connect": nil, "Connect with JSON": {connect.WithProtoJSON()}, "gRPC": {connect.WithGRPC()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		for _, tt := range []struct {
			name, procedure string
			key             core.Key
			change          func(*http.Request)
			code            connect.Code // 0: accepted
		}{
			{"as signed", orderProcedure, ordersKey, nil, 0},
			{"another message", orderProcedure, ordersKey, other, connect.CodeUnauthenticated},
			{"another procedure", orderProcedure, ordersKey, func(r *http.Request) { r.URL.Path = userProcedure }, connect.CodeUnauthenticated},
			{"unsigned", orderProcedure, ordersKey, func(r *http.Request) { r.Header.Del("Authorization") }, connect.CodeUnauthenticated},
			{"below the prefix", "/admin" + userProcedure, adminKey, nil, 0},
			{"below the prefix, the key of another API", "/admin" + userProcedure, ordersKey, nil, connect.CodePermissionDenied},
			{"signed without the prefix", userProcedure, ordersKey, func(r *http.Request) { r.URL.Path = "/admin" + userProcedure }, connect.CodeUnauthenticated},
		} {
			client := connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](&http.Client{
				Transport: &signer.Transport{Signer: apig.NewSigner(tt.key, apig.SignOptions{}), Base: changed{http2, tt.change}},
			}, server.URL+tt.procedure, options...)
			answer, err := client.CallUnary(context.Background(), connect.NewRequest(wrapperspb.String("7")))
			switch {
			case tt.code == 0 && (err != nil || answer.Msg.Value != "7 by "+tt.key.Name):
				t.Errorf("%s, %s: got %v, %v; want it accepted", protocol, tt.name, answer, err)
			case tt.code != 0 && (err == nil || connect.CodeOf(err) != tt.code):
				t.Errorf("%s, %s: got %v, want %v", protocol, tt.name, err, tt.code)
			}
		}
	}
}
