package core

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// assumed is a scheme that has found a credential right already.
type assumed struct {
	Scheme
	credential *Credential // nil: another scheme's
	keys       KeySource
}

func (a *assumed) Keys() KeySource { return a.keys }

func (a *assumed) Parse(_ *http.Request, c *Credential) error {
	if a.credential == nil {
		return ErrNoCredential
	}
	*c = *a.credential
	return nil
}

func (a *assumed) Verify(*http.Request, *Credential, *Key, []Secret, string) (int, error) {
	return 0, nil
}

// assume returns the policy as it is for a credential that is in time, signed by
// the bound key, and fits: what it refuses then, it refuses for another reason.
// Without a credential no scheme finds one.
func (s *search) assume(scheme Scheme, credential *Credential) (*policy, error) {
	var c Credential
	if credential != nil {
		c = *credential
	}
	c.message, c.Region, c.Service, c.InRegion = nil, "", "", nil
	if c.Payload == PayloadDeclared {
		c.Payload = PayloadHashed // no digest is compared
	}
	key := Key{Name: "assumed", Secret: NewSecret("assumed")}
	key.ID = cmp.Or(c.KeyID, key.Name)
	policy := s.policy.Config
	if scheme != nil && !slices.Contains(policy.Schemes, scheme) {
		policy.Schemes = []Scheme{scheme}
	}
	policy.APIs, policy.Default, policy.Rewrite = nil, "", Rewrite{}
	policy.MaxBody = max(policy.MaxBody, s.binding.maxBody, int64(len(s.body)))
	policy.MaxBuffered = max(policy.MaxBuffered, policy.MaxBody)
	policy.Now = func() time.Time { return c.Time }
	p, err := policy.aside()
	if err != nil {
		return nil, err
	}
	for _, accepted := range p.schemes { // whose own rules about headers stay
		a := &assumed{Scheme: accepted.Scheme, keys: Keys()}
		if scheme != nil && accepted.Scheme == scheme {
			a.credential, a.keys = &c, Keys(key)
		}
		accepted.Scheme = a
	}
	bound := *p.bindings.def
	bound.key, bound.allowUnsigned = key.Name, s.binding.allowUnsigned
	p.bindings.def = &bound
	return p, nil
}

// rest returns what else gets a request refused whose credential fits the guess,
// nil for nothing.
func (s *search) rest(g *guess, f fit) *Error {
	if f.credential == nil {
		return nil
	}
	p, err := s.assume(f.scheme, f.credential)
	if err != nil {
		return nil
	}
	judge := func(r *http.Request) *Error { return s.verdict(p, r) }
	r := s.request(g)
	refusal := judge(r)
	if refusal == nil && s.explanation.Code == CodeRequestAmbiguous { // for how APIs are bound, perhaps
		r.RequestURI = strings.TrimPrefix(r.RequestURI, s.policy.Rewrite.AddPrefix)
		refusal = s.unbindable(r)
	}
	return s.withNames(refusal, r, judge)
}

// unbindable is the refusal of a request of which it is not clear which API it is.
func (s *search) unbindable(r *http.Request) *Error {
	a := s.policy.newAttempt()
	defer s.policy.end(a)
	a.path, a.query = a.message.Target(r)
	e, _ := errors.AsType[*Error](s.policy.bind(r, a))
	return e
}

// namedVerdict is withNames for the verdict on the request as received.
func (s *search) namedVerdict(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	p := s.policy
	if !s.binding.open { // no scheme shall be asked
		if p, err = s.assume(s.scheme, s.credential); err != nil {
			return e
		}
	}
	return s.withNames(e, s.request(&s.base), func(r *http.Request) *Error { return s.verdict(p, r) })
}

// verdict judges a request with the body as received.
func (s *search) verdict(p *policy, r *http.Request) *Error {
	judged := *r
	judged.RemoteAddr = "explain" // throttled apart from real senders
	judged.PostForm, judged.MultipartForm, judged.TransferEncoding, judged.GetBody = nil, nil, nil, nil
	judged.Body, judged.ContentLength = http.NoBody, int64(len(s.body))
	if r.Header.Get("Content-Length") != "" { // the body as received, whatever was announced
		judged.Header = r.Header.Clone()
		judged.Header.Set("Content-Length", strconv.Itoa(len(s.body)))
	}
	if len(s.body) > 0 {
		judged.Body = io.NopCloser(bytes.NewReader(s.body))
	}
	a := p.newAttempt()
	defer p.end(a)
	_, err := p.verify(&judged, a)
	defer Release(&judged)
	e, _ := errors.AsType[*Error](err)
	return e
}

// withNames returns a refusal with the names of the headers that it is for, as far as
// it says itself of which kind they are. They are found by trying: of all headers,
// each is left alone with those that are signed, which are in their shortest form.
func (s *search) withNames(e *Error, r *http.Request, judge func(*http.Request) *Error) *Error {
	if e == nil || e.Code != CodeHeaderNotSigned && e.Code != CodeRequestAmbiguous || namesOne(e.Detail) {
		return e
	}
	same := func(header http.Header) bool {
		tried := *r
		tried.Header = header
		got := judge(&tried)
		return got != nil && got.Code == e.Code && got.Detail == e.Detail
	}
	plain := http.Header{}
	for name, values := range r.Header {
		if s.kept(name) && len(values) > 0 {
			plain[name] = []string{canonical.Trim(values[0])}
		}
	}
	var names []string
	if !same(plain) {
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			header := maps.Clone(plain)
			if header[name] = r.Header[name]; same(header) {
				names = append(names, name)
			}
		}
	} else if e.Code == CodeHeaderNotSigned {
		names = s.unfit(r)
	}
	if len(names) == 0 {
		return e
	}
	told := *e
	told.Detail += ": " + strings.Join(names, ", ")
	return &told
}

// namesOne reports whether a detail ends with the name of a header.
func namesOne(detail string) bool {
	i := strings.LastIndex(detail, ": ")
	return i >= 0 && isHeaderName(strings.ToLower(detail[i+2:]))
}

// kept reports whether a header is signed, or holds a credential.
func (s *search) kept(name string) bool {
	return name == "Authorization" || slices.Contains(s.policy.headers, name) ||
		s.credential != nil && s.credential.signs(name, sameName)
}

// unfit lists what is wrong with the list of signed headers: names of headers that
// cannot be signed or else are not in the request, or else the date that is
// missing in it.
func (s *search) unfit(r *http.Request) (names []string) {
	if c := s.credential; c != nil && c.Date != "" && !c.Signs(c.Date) {
		return []string{c.Date}
	}
	for _, name := range s.signed() {
		if unsignable(name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return names
	}
	for _, name := range s.signed() {
		if name != "" && !canonical.Has(r, name) {
			names = append(names, name)
		}
	}
	return names
}
