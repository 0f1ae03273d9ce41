package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// page serves the page of explain until ctx is done, with the kept requests of a folder if
// dir is not "".
func (a *explainArgs) page(ctx context.Context, s streams, dir string) error {
	var needed []config.LoadOption // without --env the secrets of all environments are needed
	if a.env != "" {
		needed = append(needed, config.WithSecretsOf(a.env))
	}
	file, err := loadFile(a.config, needed...)
	if err != nil {
		return err
	}
	if err := a.usable(file.Environments()); err != nil {
		return err
	}
	if dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("with --http the argument is a folder of kept requests, and %s is none", dir)
		}
	}
	l, err := listen(a.http, a.httpAnywhere, "--http-anywhere")
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	fmt.Fprintf(s.out, "ready http://%s/\n", l.Addr())
	p := &page{file: file, env: a.env, hosts: a.hosts, prefixes: a.prefixes, headers: a.headers, busy: make(chan struct{}, 2)}
	if dir != "" {
		p.kept = &keptFolder{dir: dir, ask: func(ctx context.Context, data []byte) (*answer, error) {
			return question{env: p.env, form: true, hosts: a.hosts, prefixes: a.prefixes, headers: a.headers}.ask(ctx, p.environments(), data)
		}}
	}
	return serve(ctx, l, p.handler(hostOf(a.http)), s, nil, shortGrace)
}

// listen listens on an address. The address must be a loopback address unless
// anywhere is set; permit is the flag that sets it.
func listen(address string, anywhere bool, permit string) (net.Listener, error) {
	host, err := hostToListen(address, "127.0.0.1")
	if err != nil {
		return nil, err
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

// hostToListen returns the host of an address to listen on. usual is the host that users
// usually give.
func hostToListen(address, usual string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	if err == nil {
		return host, nil
	}
	if _, err := strconv.ParseUint(address, 10, 16); err == nil {
		return "", fmt.Errorf("%s is a port alone: write %s:%s", address, usual, address)
	}
	return "", fmt.Errorf("%q is not an address such as %s:8080", address, usual)
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
			fmt.Fprintf(s.err, "gatewayauth: requests were still in progress after %v: their connections are closed\n", grace)
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

// page is the page of explain.
type page struct {
	file                     *config.File
	env                      string // "": the one that the request names, or the only one
	hosts, prefixes, headers []string
	kept                     *keptFolder   // nil: none
	busy                     chan struct{} // bounds CPU and memory: a search keeps a core busy, and a form is held in memory
}

func (p *page) environments() *environmentsFile {
	return &environmentsFile{p.file.Environments(), func(string) (*config.File, error) { return p.file, nil }}
}

const (
	mostKept = 200              // rows of the list
	patience = 30 * time.Second // for searches and for the form
)

// handler returns the handler of the page. There is no login: everybody who
// reaches the address may use the page. Cross-origin requests are refused.
func (p *page) handler(host string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		v := p.blank()
		if p.kept == nil {
			p.show(w, http.StatusOK, v)
			return
		}
		p.whenFree(r, func(ctx context.Context) {
			var err error
			if v.List, err = p.kept.read(ctx, mostKept); err != nil {
				v.Problem = printable(err.Error())
			}
			p.show(w, http.StatusOK, v)
		})
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		p.whenFree(r, func(ctx context.Context) { p.answer(ctx, w, r, "") })
	})
	mux.HandleFunc("GET /kept/{name}", func(w http.ResponseWriter, r *http.Request) {
		p.whenFree(r, func(ctx context.Context) {
			v := p.blank()
			v.File = r.PathValue("name")
			data, err := p.kept.content(v.File)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			p.explain(ctx, w, v, data)
		})
	})
	mux.HandleFunc("POST /kept/{name}", func(w http.ResponseWriter, r *http.Request) {
		p.whenFree(r, func(ctx context.Context) { p.answer(ctx, w, r, r.PathValue("name")) })
	})
	return ownHostOnly(http.NewCrossOriginProtection().Handler(mux), host)
}

// blank returns the page before a question.
func (p *page) blank() *view {
	return &view{Env: p.env, Format: "auto", Entry: "0", Hosts: strings.Join(p.hosts, " "), Prefixes: strings.Join(p.prefixes, " "), Headers: strings.Join(p.headers, "\n")}
}

// show writes the page.
func (p *page) show(w http.ResponseWriter, status int, v *view) {
	v.Nonce, v.Formats, v.Environments, v.Kept = rand.Text(), append([]string{"auto"}, capture.Formats...), p.file.Environments(), p.kept != nil
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, v); err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; script-src 'nonce-"+v.Nonce+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(text.Bytes())
}

// whenFree calls f when no more than one other search runs.
func (p *page) whenFree(r *http.Request, f func(ctx context.Context)) {
	select {
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	case <-r.Context().Done():
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	f(ctx)
}

// answer answers the form: about a kept request if a name is given, or else about the
// request in the form.
func (p *page) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, name string) {
	const form = 1 << 20                                                    // fields other than the request
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // or a slow client would block others; net/http supports it
	r.Body = http.MaxBytesReader(w, r.Body, 2*capture.MaxSize+form)
	if err := r.ParseMultipartForm(2*capture.MaxSize + form); err != nil {
		v := p.blank()
		v.Problem = "The form could not be read. The request may be larger than 16 MiB."
		p.show(w, http.StatusBadRequest, v)
		return
	}
	defer r.MultipartForm.RemoveAll()
	v, data := readForm(r)
	if v.File = name; name != "" {
		var err error
		if data, err = p.kept.content(name); err != nil {
			http.NotFound(w, r)
			return
		}
	}
	p.explain(ctx, w, v, data)
}

// explain answers the question of the form about a request.
func (p *page) explain(ctx context.Context, w http.ResponseWriter, v *view, data []byte) {
	var err error
	if v.Answer, err = v.question().ask(ctx, p.environments(), data); err != nil {
		v.Problem = printable(err.Error())
		p.show(w, http.StatusUnprocessableEntity, v)
		return
	}
	p.show(w, http.StatusOK, v)
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
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
			http.Error(w, "cross-origin request", http.StatusForbidden)
			return
		}
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
