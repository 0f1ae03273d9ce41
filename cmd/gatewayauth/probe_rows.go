package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// A probe is one request of a probe, and what came of it.
type probe struct {
	name  string
	what  string // what is special about the request, for the table
	means string // if it is accepted
	field string // how the file would refuse it, or ""

	faults    []string // as in faultKinds
	changes   []change // after the faults
	options   config.SignOptions
	key       *config.SigningKey // nil: that of the API
	host      string             // "": the user's
	again     bool               // the honest request, unchanged
	oversized bool
	skip      string // why it is not sent, or ""

	request *http.Request
	code    core.Code // of the file's refusal; "" if the file accepts the request
	detail  string
	answer  probeAnswer
}

const honestName = "honest"

// tamperings returns the tampered requests. Each has one thing that a verifier must
// refuse, or that the file may allow.
func (p *prober) tamperings() []*probe {
	credential := http.CanonicalHeaderKey(cmp.Or(p.policy.CredentialHeader, "Authorization"))
	prefix := "X-Sdk-"
	if strings.HasPrefix(p.key.Type, "sigv4") {
		prefix = "X-Amz-"
	}
	date := prefix + "Date"
	underscored := func(name string) string { return "X_" + strings.ToLower(strings.ReplaceAll(name[2:], "-", "_")) }
	// As honest requests are accepted, the clocks differ by no more than the skew.
	apart := 2*p.policy.ClockSkew + time.Minute
	method := http.MethodPost
	if p.request.Method == method {
		method = http.MethodGet
	}
	path, query := cmp.Or(p.request.URL.EscapedPath(), "/"), "gatewayauth-probe=1"
	if p.request.URL.RawQuery != "" {
		query = p.request.URL.RawQuery + "&" + query
	}
	all := []*probe{
		{name: "replay", what: "the honest request again", again: true, field: "with replay, unless this method is exempt or retried",
			means: "a captured request can be sent again until its date is too old"},
		{name: "no credential", what: "without " + credential, faults: []string{"drop=" + credential},
			means: "whoever reaches the port is served"},
		{name: "cut credential", what: "the last character is missing", changes: []change{cut(credential)},
			means: "a prefix of a signature counts as one"},
		{name: "two credentials", what: credential + " twice", changes: []change{again(credential)},
			means: "proxies and the service can read different credentials"},
		{name: "wrong secret", what: "signed with another secret", faults: []string{"wrong-secret"},
			means: "whoever knows the id of a key can sign"},
		{name: "unknown key", what: "the key's id is another", key: p.unknownKey(),
			means: "whoever invents a key can sign"},
		p.otherKey(),
		p.otherEnvironment(),
		p.otherRegion(),
		p.withoutToken(),
		{name: "old date", what: "signed " + brief(apart) + " ago", faults: []string{"skew=" + apart.String()},
			means: "a captured request can be sent later"},
		{name: "future date", what: "signed for " + brief(apart) + " from now", faults: []string{"skew=-" + apart.String()},
			means: "a request can be signed for later"},
		{name: "changed date", what: "another date than the signed one", faults: []string{"change-header=" + date},
			means: "a captured request can be dated anew, and sent for ever"},
		{name: "two dates", what: date + " twice", changes: []change{again(date)},
			means: "proxies and the service can read different dates"},
		{name: "other method", what: "signed for " + method, faults: []string{"method=" + method},
			means: "a captured request can be sent with another method"},
		{name: "other path", what: "signed for another path", faults: []string{"path=" + path + "x"},
			means: "a captured request can be sent to another path"},
		p.respelled(),
		{name: "other query", what: "signed for another query", faults: []string{"query=" + query},
			means: "parameters can be changed on the way"},
		p.respelledQuery(query),
		{name: "other host", what: "signed for another host", faults: []string{"host=gatewayauth-probe.example"},
			means: "a request for another service is accepted by this one"},
		{name: "other service", what: "signed for and sent to another host", host: "gatewayauth-probe.example", field: "with hosts",
			means: "a request for another service with the same key is accepted by this one"},
		{name: "other body", what: "signed with another body", faults: []string{"tamper-body"}, options: config.SignOptions{Payload: core.PayloadHashed},
			means: "the body can be changed on the way"},
		{name: "other digest", what: "declares the digest of another body", faults: []string{"tamper-body"}, options: config.SignOptions{Payload: core.PayloadDeclared},
			means: "the body can be changed on the way, as the declared digest is not compared with it"},
		{name: "unsigned body", what: "the body is declared unsigned", options: config.SignOptions{Payload: core.PayloadUnsigned}, field: "without allow_unsigned_payload",
			means: "bodies of such requests can be changed on the way"},
		{name: "other header", what: "a signed header is changed", faults: []string{"change-header=" + probeHeader},
			means: "signed headers can be changed on the way"},
		{name: "missing header", what: "a signed header is missing", faults: []string{"drop=" + probeHeader},
			means: "signed headers can be removed on the way"},
		{name: "lookalike header", what: "also " + underscored(probeHeader) + ", unsigned", changes: []change{headerAdded(underscored(probeHeader), "other")},
			means: "a signed header can be replaced for handlers that read _ as -"},
		{name: "lookalike date", what: "also " + underscored(date) + ", unsigned", changes: []change{headerAdded(underscored(date), "19700101T000000Z")},
			means: "the date can be replaced for handlers that read _ as -"},
		{name: "added " + strings.ToLower(prefix) + "*", what: prefix + "Probe is added, unsigned", faults: []string{"add-header=" + prefix + "Probe:1"},
			means: "headers of the protocol can be added on the way"},
		{name: "method override", what: "X-HTTP-Method-Override, unsigned", faults: []string{"add-header=X-Http-Method-Override:" + p.request.Method},
			means: "frameworks that obey this header can be made to run another method"},
		p.presigned(),
		p.largerBody(),
	}
	return slices.DeleteFunc(all, func(x *probe) bool { return x == nil })
}

// cut removes the last character of a header.
func cut(name string) change {
	return func(r *http.Request) string {
		value := r.Header.Get(name)
		if value == "" {
			return ""
		}
		r.Header.Set(name, value[:len(value)-1])
		return "cut"
	}
}

// again repeats a header.
func again(name string) change {
	return func(r *http.Request) string {
		value := r.Header.Get(name)
		if value == "" {
			return ""
		}
		return headerAdded(name, value)(r)
	}
}

func (p *prober) unknownKey() *config.SigningKey {
	key := p.key
	key.ID, key.Name = key.ID+"x", key.Name+"x"
	return &key
}

// otherKey returns the request that is signed with the key of another API, which has
// the same type if there is one.
func (p *prober) otherKey() *probe {
	x := &probe{name: "other key", means: "whoever may call another API can call this one",
		skip: "environment " + p.env + " has no other key that signs"}
	outlines := p.file.Outlines()
	of := slices.IndexFunc(outlines, func(o config.Outline) bool { return o.Name == p.env })
	for _, outlined := range outlines[of].Keys {
		name := outlined.Name
		key, err := p.file.SigningKey(p.env, name)
		if err != nil || name == p.key.Name || key.Type == "token" || x.key != nil && key.Type != p.key.Type {
			continue
		}
		if x.key == nil || x.key.Type != p.key.Type {
			x.key, x.skip, x.what = &key, "", "signed with "+name
		}
	}
	return x
}

// otherEnvironment returns the request that is signed with the key of this name in
// another environment.
func (p *prober) otherEnvironment() *probe {
	x := &probe{name: "other environment", means: "a request of another environment is accepted in this one", field: "with another key in each environment",
		skip: "no other environment of the file has a key " + p.key.Name + " whose secret is set"}
	for _, env := range p.file.Environments() {
		if env == p.env || x.key != nil {
			continue
		}
		file, err := loadFile(p.path, config.WithSecretsOf(env))
		if err != nil {
			continue
		}
		if key, err := file.SigningKey(env, p.key.Name); err == nil && key.Type != "token" {
			x.key, x.skip, x.what = &key, "", "signed with "+key.Name+" of "+env
		}
		file.Close()
	}
	return x
}

// otherRegion returns the request that is signed for another region, or nil for keys
// without one.
func (p *prober) otherRegion() *probe {
	if p.key.Region == "" {
		return nil
	}
	key := p.key
	key.Region = "gatewayauth-probe"
	return &probe{name: "other region", what: "signed for another region", key: &key, means: "a request for another region is accepted in this one"}
}

// withoutToken returns the request without the key's session token, or nil for keys
// without one.
func (p *prober) withoutToken() *probe {
	if p.key.SessionToken.IsZero() {
		return nil
	}
	key := p.key
	key.SessionToken = core.Secret{}
	return &probe{name: "no session token", what: "without the token of the temporary key", key: &key, means: "the secret of a temporary key suffices without its token"}
}

// respelled returns the request whose path is spelled in another way that has the same
// canonical form, or nil if there is none.
func (p *prober) respelled() *probe {
	path := p.request.URL.EscapedPath()
	x := &probe{name: "respelled path", means: "routers and the service can read different paths"}
	if strings.HasPrefix(p.key.Type, "sigv4") && p.key.Paths != "s3" {
		path, x.what = "/."+path, "/. is put before the path"
	} else {
		at := plainCharacter(path)
		if at < 0 {
			x.skip = "the path has no letter or digit"
			return x
		}
		path, x.what = fmt.Sprintf("%s%%%02X%s", path[:at], path[at], path[at+1:]), "a character of the path is encoded"
	}
	if p.grpc {
		x.skip = "gRPC has one spelling of a method"
		return x
	}
	u, err := url.Parse("http://x" + path)
	if err != nil {
		x.skip = err.Error()
		return x
	}
	x.changes = []change{pathChanged(u, x.what)}
	return x
}

// respelledQuery returns the request with one more parameter, whose value has a semicolon.
// It is signed encoded, and sent as it is, which has the same canonical form.
func (p *prober) respelledQuery(query string) *probe {
	x := &probe{name: "respelled query", what: "a parameter has a semicolon", faults: []string{"query=" + query + "%3B"},
		means: "routers and the service can read different parameters"}
	x.changes = []change{queryChanged(query + ";")}
	if p.grpc {
		x.skip = "gRPC calls have no query"
	}
	return x
}

// plainCharacter returns where the last letter or digit is that stands for itself, or -1.
func plainCharacter(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		c := path[i]
		encoded := i > 0 && path[i-1] == '%' || i > 1 && path[i-2] == '%'
		if !encoded && ('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return i
		}
	}
	return -1
}

// presigned returns the request with its credential in the query.
func (p *prober) presigned() *probe {
	x := &probe{name: "credential in the URL", what: "signed in the query", options: config.SignOptions{Expires: time.Minute}, field: "without allow_presigned",
		means: "whoever sees the URL can use it until it expires"}
	if p.grpc {
		x.skip = "gRPC calls have no query"
	}
	return x
}

const mostHashed = 1 << 30

// largerBody returns the request with a body that is too large, if the user asked for it.
func (p *prober) largerBody() *probe {
	if !p.oversized {
		return nil
	}
	x := &probe{name: "oversized body", what: fmt.Sprintf("announces %d bytes", p.api.MaxBody+1), oversized: true, options: config.SignOptions{Payload: core.PayloadHashed},
		means: "the service, or a proxy in front of it, asks for a body that is too large"}
	switch {
	case p.grpc:
		x.skip = "gRPC announces no length"
	case p.api.MaxBody > mostHashed:
		x.skip = "max_body is larger than 1 GiB, which takes long to hash"
	}
	return x
}

// brief writes a duration, such as 31m.
func brief(d time.Duration) string {
	if d%time.Minute == 0 {
		return strings.TrimSuffix(d.String(), "0s")
	}
	return d.String()
}
