package differential_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
)

// A disagreement is between the reference and the library. Its class has no text of the
// message, so that one fault is printed once.
type disagreement struct{ class, text string }

// try judges a message by both, and returns how they disagree, if they do. It reports false
// for what net/http refuses.
func (w *world) try(raw []byte, f front) (v reference.Verdict, o outcome, d *disagreement, reached bool) {
	r, err := read(raw)
	if err != nil {
		return v, o, nil, false
	}
	v = reference.Judge(raw, w.settings)
	o = w.admit(r, f)
	return v, o, w.compare(raw, v, &o), true
}

// compare compares a verdict of the reference with what the library did.
func (w *world) compare(raw []byte, v reference.Verdict, o *outcome) *disagreement {
	accept := v.Valid && len(v.Policies) == 0
	switch {
	case o.code == "panic":
		return &disagreement{"panic", o.refusal}
	case o.broken, o.inFront > 0 && !v.Body:
		return nil // nothing is known about such a body
	case o.inFront > 0 && o.accepted:
		return &disagreement{"accepted a body that was read in front", fmt.Sprintf("%d bytes", o.inFront)}
	case o.inFront > 0:
		return nil
	case o.accepted && !accept:
		return &disagreement{fmt.Sprintf("the library accepts, the reference refuses: %s %q", v.Why, v.Policies), ""}
	case accept && !o.accepted:
		return &disagreement{"the reference accepts, the library refuses: " + o.refusal, ""}
	case !accept:
		return nil
	}
	if text := w.compareIdentity(v, o); text != "" {
		return &disagreement{"both accept, and the identity differs", text}
	}
	if text := w.compareRequest(raw, v, o); text != "" {
		class, _, _ := strings.Cut(text, ":")
		return &disagreement{"both accept, and the handler sees another request: " + class, text}
	}
	return nil
}

func (w *world) compareIdentity(v reference.Verdict, o *outcome) string {
	id := o.identity
	if id == nil {
		return "there is none"
	}
	covers := id.Covers()
	covered := covers.Body || (w.stream || o.stream) && id.Payload().String() == "declared" // that was read to its end
	hostSigned := slices.Contains(v.Signed, "host") && w.config.Rewrite.Host == ""
	switch {
	case id.KeyID() != v.KeyID:
		return fmt.Sprintf("key id: got %q, want %q", id.KeyID(), v.KeyID)
	case id.Algorithm() != v.Scheme:
		return fmt.Sprintf("algorithm: got %q, want %q", id.Algorithm(), v.Scheme)
	case !slices.Equal(id.SignedHeaders(), v.Signed):
		return fmt.Sprintf("signed headers: got %q, want %q", id.SignedHeaders(), v.Signed)
	case covered != v.Body:
		return fmt.Sprintf("body covered: got %v, want %v", covered, v.Body)
	case covers.Host != hostSigned:
		return fmt.Sprintf("host covered: got %v, want %v", covers.Host, hostSigned)
	case covers.Target != (v.Scheme != "Basic"):
		return fmt.Sprintf("target covered: got %v", covers.Target)
	}
	return ""
}

// compareRequest compares what the handler sees with what was sent.
func (w *world) compareRequest(raw []byte, v reference.Verdict, o *outcome) string {
	sent, err := read(raw)
	if err != nil {
		return "message: not readable twice"
	}
	body, err := io.ReadAll(sent.Body)
	got := o.request
	switch {
	case err != nil:
		return "body: accepted, and net/http cannot read it: " + err.Error()
	case !bytes.Equal(o.body, body):
		return fmt.Sprintf("body: got %.200q, want %.200q", o.body, body)
	case got.Method != sent.Method, got.RequestURI != sent.RequestURI, got.Host != sent.Host:
		return fmt.Sprintf("head: got %s %q of %q, want %s %q of %q", got.Method, got.RequestURI, got.Host, sent.Method, sent.RequestURI, sent.Host)
	case !reflect.DeepEqual(got.URL, sent.URL):
		return fmt.Sprintf("URL: got %#v, want %#v", got.URL, sent.URL)
	case got.Trailer != nil:
		return fmt.Sprintf("trailers: got %q", got.Trailer)
	}
	return w.compareHeaders(got.Header, sent.Header, v)
}

// compareHeaders compares the headers that the handler sees with those that were sent, and
// looks for what core/doc.go says the handler does not see.
func (w *world) compareHeaders(got, sent http.Header, v reference.Verdict) string {
	signed := func(name string) bool { return slices.Contains(v.Signed, strings.ToLower(name)) }
	prefix := w.key.prefix()
	for name, values := range sent {
		reserved := strings.HasPrefix(dashed(name), "x-apig-") && !signed(name)
		if _, ok := got[name]; ok == reserved {
			return fmt.Sprintf("headers: %s is there: %v", name, ok)
		}
		if !reserved && !slices.Equal(got[name], values) {
			return fmt.Sprintf("headers: %s is %q, want %q", name, got[name], values)
		}
	}
	for name := range got {
		lower := strings.ToLower(name)
		protocol := v.Scheme != "Basic" && strings.HasPrefix(lower, strings.ToLower(prefix)) && !strings.Contains(lower, "-content-sha256") &&
			!strings.Contains(lower, "-content-sm3") && !slices.ContainsFunc(w.config.AllowUnsigned, func(n string) bool { return strings.EqualFold(n, name) })
		override := slices.Contains([]string{"x-http-method-override", "x-method-override", "x-http-method"}, dashed(name))
		switch {
		case sent[name] == nil:
			return "headers: one more: " + name
		case (protocol || override) && !signed(name):
			return "headers: not signed: " + name
		case strings.Contains(name, "_") && !signed(name) && signed(dashed(name)):
			return "headers: looks like a signed one: " + name
		}
	}
	return ""
}

// dashed is a name in lower case and with dashes for underscores.
func dashed(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }
