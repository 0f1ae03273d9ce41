package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// bound says what one environment does with the requests of a route.
type bound struct {
	Environment string `json:"environment"`
	Pattern     string `json:"pattern,omitempty"`
	Line        int    `json:"line,omitempty"`
	Column      int    `json:"column,omitempty"`
	Key         string `json:"key,omitempty"`
	Open        bool   `json:"open"`
	Code        string `json:"code,omitempty"`
	// Why says why it is this pattern, or none, or why the route is refused.
	Why string `json:"why"`
	// Others are patterns that match as well.
	Others []string `json:"others,omitempty"`
}

// bindings prints what binds the requests of a route, in every environment. A Verifier of each
// decides it, as for real requests; the secrets are not needed.
func (a *checkArgs) bindings(s streams, path string) error {
	f, err := loadFile(path, config.WithoutSecrets())
	if err != nil {
		return err
	}
	r, err := routeRequest(a.route)
	if err != nil {
		return fmt.Errorf("--route: %w", err)
	}
	all, refused := []bound{}, false
	for _, o := range f.Outlines() {
		c, err := f.Config(o.Name, config.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return err
		}
		b, err := bindingOf(c, &o, r)
		if err != nil {
			return err
		}
		all, refused = append(all, b), refused || b.Code != ""
	}
	if err := f.Close(); err != nil {
		return err
	}
	if a.json {
		if err := writeJSON(s.out, map[string]any{"route": a.route, "environments": all}); err != nil {
			return failed{err}
		}
	} else {
		for _, b := range all {
			fmt.Fprintln(s.out, printable(b.text(path)))
			for _, pattern := range b.Others {
				fmt.Fprintln(s.out, printable("    also matches, and is less specific: "+pattern))
			}
		}
	}
	if refused {
		return exit(exitWarnings)
	}
	return nil
}

func (b bound) text(path string) string {
	text := b.Environment + ": "
	switch {
	case b.Code != "":
		return text + "refused (" + b.Code + "): " + b.Why
	case b.Open:
		text += "open to everyone"
	default:
		text += "key " + b.Key
	}
	if b.Pattern != "" {
		text += fmt.Sprintf(", by %s (%s:%d:%d)", b.Pattern, path, b.Line, b.Column)
	}
	return text + ": " + b.Why
}

// routeRequest returns a request without a credential, of a route such as "GET /orders/7",
// "GET api.example.com/orders/7" or "/orders/7".
func routeRequest(route string) (*http.Request, error) {
	method, target, found := strings.Cut(strings.TrimSpace(route), " ")
	if target = strings.TrimSpace(target); !found {
		method, target = http.MethodGet, method
	}
	if strings.ContainsFunc(method+target, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return nil, errors.New(routeForm)
	}
	write := func(method, target, why string) error {
		return fmt.Errorf("write %q: %s", printable(method+" "+target), why)
	}
	for _, standard := range methods {
		switch {
		case !found && strings.EqualFold(target, standard):
			return nil, write(standard, "/orders/7", "a path is missing")
		case strings.EqualFold(target, standard) && strings.Contains(method, "/"):
			return nil, write(standard, method, "the method comes first")
		case strings.EqualFold(method, standard) && method != standard:
			return nil, write(standard, target, "methods are in upper case")
		}
	}
	scheme, behind, absolute := strings.Cut(target, "://")
	if absolute = absolute && !strings.ContainsAny(scheme, "/?#"); absolute {
		target = behind
	}
	host, rest, slash := strings.Cut(target, "/")
	switch {
	case strings.ContainsAny(host, "?#@"):
		return nil, errors.New(routeForm)
	case absolute && !slash:
		return nil, write(method, target+"/", "a route has no scheme, and a path")
	case absolute:
		return nil, write(method, target, "a route has no scheme")
	case host == "" && slash:
		host = anyHost
	case host == "":
		return nil, errors.New(routeForm)
	case host != "localhost" && !strings.ContainsAny(host, ".:"):
		return nil, write(method, "/"+target, "a path starts with a slash (and a host without a dot is given with its port, as "+printable(host)+":80)")
	case !slash:
		return nil, write(method, host+"/", "a path is missing")
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " /" + rest + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")))
	if err != nil {
		return nil, fmt.Errorf("no server reads this request: %w", err)
	}
	return r, nil
}

const routeForm = `write a method and a path, such as "GET /orders/7" or "GET api.example.com/orders/7"`

// methods are those that a route can have in another case by mistake.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}

// anyHost is the host of a route that has none.
const anyHost = "host.invalid"

// lastEvent keeps the event of a request without a credential.
type lastEvent struct{ core.Event }

func (l *lastEvent) Observe(_ context.Context, e core.Event) { l.Event = e }

func bindingOf(c core.Config, o *config.Outline, r *http.Request) (bound, error) {
	b := bound{Environment: o.Name}
	off := c.Mode == core.Off
	c.Mode, c.Replay = core.Enforce, core.Replay{}
	judge := func(c core.Config) (core.Event, error) {
		var last lastEvent
		c.Observers = []core.Observer{&last}
		v, err := core.New(c)
		if err == nil {
			_, _ = v.Verify(r.Clone(r.Context()))
		}
		return last.Event, err
	}
	e, err := judge(c)
	if err != nil && off {
		b.Open, b.Why = true, "mode is off: nothing is verified"
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.Pattern, b.Key, b.Open = e.API, e.APIKey, e.Open
	for i, api := range c.APIs {
		if api.Match == e.API {
			at := o.Place(fmt.Sprintf("apis[%d].match", i))
			b.Line, b.Column = at.Line, at.Column
		}
	}
	if !e.Open && e.Code != core.CodeCredentialMissing {
		b.Code, b.Key, b.Why = string(e.Code), "", strings.TrimPrefix(e.Err.Error(), "gatewayauth: "+string(e.Code)+": ")
		return b, nil
	}
	if e.API == "" && e.APIKey == "" {
		b.Code, b.Why = string(core.CodeKeyNotBound), "no pattern matches, and default is not set"
		return b, nil
	}
	if e.API == "" {
		b.Why = "no pattern matches, so default binds it"
	} else {
		b.Why = "no other pattern matches"
		for _, api := range c.APIs {
			if api.Match == e.API {
				continue
			}
			alone := c
			alone.APIs, alone.Default = []core.API{api}, ""
			if other, err := judge(alone); err == nil && other.API == api.Match {
				b.Others = append(b.Others, api.Match)
			}
		}
		if len(b.Others) > 0 {
			b.Why = "the most specific pattern that matches"
		}
	}
	switch {
	case off:
		b.Why += "; but mode is off, and nothing is verified"
	case b.Open || len(c.Hosts) == 0:
	case r.Host == anyHost && c.Rewrite.Host == "":
		b.Why += "; name a host in the route to see whether it is one of hosts"
	default:
		host := cmp.Or(c.Rewrite.Host, r.Host)
		ours, err := isOurs(c.Hosts, host)
		if err != nil {
			return b, err
		}
		if !ours {
			b.Code, b.Key = string(core.CodeHostNotOurs), ""
			b.Why = "hosts does not list " + host + ", for which the request must be signed"
		}
	}
	return b, nil
}

// isOurs reports whether a policy with these hosts accepts requests for a host. A Verifier
// decides it, on a signed request.
func isOurs(hosts []string, host string) (bool, error) {
	key := core.Key{Name: "any", ID: "any", Secret: core.NewSecret(rand.Text())}
	v, err := core.New(core.Config{Environment: "any", Hosts: hosts, Default: key.Name, Logger: slog.New(slog.DiscardHandler),
		Schemes: []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})}})
	if err != nil {
		return false, err
	}
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return false, err
	}
	r.Host = host
	s := apig.NewSigner(key, apig.SignOptions{})
	if err := s.Sign(r, hex.EncodeToString(s.NewHash().Sum(nil)), time.Now()); err != nil {
		return false, err
	}
	r.RequestURI = r.URL.RequestURI()
	_, err = v.Verify(r)
	if code := core.CodeOf(err); err != nil && code != core.CodeHostNotOurs {
		return false, err
	}
	return err == nil, nil
}
