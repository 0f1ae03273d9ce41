package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page serves the page of explain until ctx is done.
func (a *explainArgs) page(ctx context.Context, s streams) error {
	var needed []config.LoadOption // without --env the secrets of all environments are needed
	if a.env != "" {
		needed = append(needed, config.WithSecretsOf(a.env))
	}
	file, err := config.Load(a.config, needed...)
	if err != nil {
		return err
	}
	l, err := listen(a.http, a.httpAnywhere, "--http-anywhere")
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	fmt.Fprintf(s.out, "ready http://%s/\n", l.Addr())
	return serve(ctx, l, pageHandler(file, a.env, hostOf(a.http)), s, nil, shortGrace)
}

// listen listens on an address. The address must be a loopback address unless
// anywhere is set; permit is the flag that sets it.
func listen(address string, anywhere bool, permit string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address such as 127.0.0.1:8099", address)
	}
	ip, err := netip.ParseAddr(host)
	if local := host == "localhost" || err == nil && ip.IsLoopback(); !local && !anywhere {
		return nil, fmt.Errorf("other machines can reach %s; use 127.0.0.1, or allow it with %s", address, permit)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, failed{err}
	}
	return l, nil
}

func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

// serve serves until ctx is done. Requests then have grace to end. It speaks HTTP/1.1 if
// protocols is nil.
func serve(ctx context.Context, l net.Listener, h http.Handler, s streams, protocols *http.Protocols, grace time.Duration) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		Protocols: protocols, ErrorLog: log.New(s.err, "gatewayauth: ", 0)}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		ending, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if server.Shutdown(ending) != nil {
			server.Close()
		}
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return failed{err}
	}
	<-stopped
	return nil
}

// shortGrace is for servers of developers.
const shortGrace = 2 * time.Second

// http1AndH2C are the protocols of the proxies.
func http1AndH2C() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

// view is the data of the page's template: the values of the form, and the answer. It
// must not hold keys.
type view struct {
	Nonce                 string
	Environments, Formats []string

	Env, Format, At, Request, Canonical, Hosts, Prefixes, Headers, Entry string

	Problem string
	Answer  *answer
}

// pageHandler returns the handler of the page. There is no login: everybody who
// reaches the address may use the page. Cross-origin requests are refused.
func pageHandler(file *config.File, env, host string) http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, status int, v *view) {
		v.Nonce, v.Formats = rand.Text(), append([]string{"auto"}, capture.Formats...)
		v.Environments = file.Environments()
		var page bytes.Buffer
		if err := pageTemplate.Execute(&page, v); err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		w.WriteHeader(status)
		w.Write(page.Bytes())
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusOK, &view{Env: env, Format: "auto", Entry: "0"})
	})
	busy := make(chan struct{}, 2) // bounds CPU and memory: a search keeps a core busy, and a form is held in memory
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		case <-r.Context().Done():
			return
		}
		const form = 1 << 20                                                            // fields other than the request
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(30 * time.Second)) // or a slow client would block others; net/http supports it
		r.Body = http.MaxBytesReader(w, r.Body, 2*capture.MaxSize+form)
		if err := r.ParseMultipartForm(2*capture.MaxSize + form); err != nil {
			show(w, http.StatusBadRequest, &view{Env: env, Problem: "The form could not be read. The request may be larger than 16 MiB."})
			return
		}
		defer r.MultipartForm.RemoveAll()
		v, q, data := readForm(r)
		ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
		defer cancel()
		var err error
		if v.Answer, err = q.ask(ctx, file, data); err != nil {
			v.Problem = printable(err.Error())
			show(w, http.StatusUnprocessableEntity, v)
			return
		}
		show(w, http.StatusOK, v)
	})
	return ownHostOnly(http.NewCrossOriginProtection().Handler(mux), host)
}

// readForm reads the fields of the form.
func readForm(r *http.Request) (*view, *question, []byte) {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	v := &view{Env: value("env"), Format: value("format"), At: value("at"), Hosts: value("hosts"), Prefixes: value("prefixes"), Headers: value("headers"), Entry: value("entry")}
	// Browsers send every line break of a text area as CR LF.
	unix := func(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
	v.Request, v.Canonical = unix(r.PostFormValue("request")), unix(r.PostFormValue("canonical"))
	data := []byte(v.Request)
	if in, _, err := r.FormFile("file"); err == nil {
		defer in.Close()
		if bytes, err := io.ReadAll(io.LimitReader(in, capture.MaxSize+1)); err == nil && len(bytes) > 0 {
			data, v.Request = bytes, ""
		}
	}
	q := &question{env: v.Env, at: v.At, format: v.Format, canonical: v.Canonical, form: true,
		hosts: strings.Fields(v.Hosts), prefixes: strings.Fields(v.Prefixes)}
	for line := range strings.Lines(v.Headers) {
		if line = strings.TrimSpace(line); line != "" {
			q.headers = append(q.headers, line)
		}
	}
	q.entry, _ = strconv.Atoi(v.Entry)
	return v, q, data
}

// ownHostOnly refuses requests whose Host is not the address of this server or localhost.
// This prevents DNS rebinding, where another site's name resolves to this address. It
// also sets the security headers.
func ownHostOnly(next http.Handler, host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if !ownHost(r.Host, host) {
			http.Error(w, "open this page by its IP address or as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func ownHost(received, listening string) bool {
	name := received
	if host, _, err := net.SplitHostPort(received); err == nil {
		name = host
	}
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil || name == "localhost" || listening != "" && name == listening
}
