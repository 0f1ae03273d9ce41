package explain

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain/internal/elapsed"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// recordVerdict records the verdict of the policy, the binding of the API, and what read finds.
func (s *search) recordVerdict(r *http.Request) {
	failed := s.readBody(r, s.largestBody())
	copied := *r
	s.received = &copied
	s.now = s.policy.Now()

	tried := *r
	tried.Header, tried.RemoteAddr = r.Header.Clone(), "explain" // its wrong passwords are counted apart from those of real senders
	tried.Body, tried.GetBody = http.NoBody, nil
	if r.Body != nil && r.Body != http.NoBody { // for a server, an empty body is not the same as no body
		tried.Body = &restored{io.MultiReader(bytes.NewReader(s.body), tail(failed)), http.NoBody}
	}
	id, err := s.verifier.Verify(&tried)
	defer core.Release(&tried)
	x := &s.explanation
	x.Open = err == nil && !id.Verified()
	if err != nil {
		x.Code, x.Detail, x.Hint = core.CodeOf(err), inWords(err), core.HintOf(err)
	}
	s.binding, _ = s.bindingOf(&copied)
	x.Bound = s.binding.key
	s.read(r)
	if err == nil && id.Verified() {
		if key := s.named(); key != nil {
			x.MadeWith = madeWith(key, id.Secret(), s.now)
		}
	}
}

// largestBody returns the size of the largest body that any API accepts, in bytes.
func (s *search) largestBody() int64 {
	most := s.policy.MaxBody
	for _, api := range s.policy.APIs {
		most = max(most, api.MaxBody)
	}
	return most
}

// inWords returns the text of a refusal without its code.
func inWords(err error) string {
	return strings.TrimPrefix(err.Error(), "gatewayauth: "+string(core.CodeOf(err))+": ")
}

// madeWith says which secret of a key was used, if the key has several. i is the index
// among the secrets that are accepted.
func madeWith(key *core.Key, i int, now time.Time) string {
	if len(key.Previous) == 0 {
		return ""
	}
	for _, p := range key.Previous {
		if !p.Until.IsZero() && !now.Before(p.Until) {
			continue
		}
		if i--; i > 0 {
			continue
		}
		if i < 0 {
			break
		}
		if p.Until.IsZero() {
			return "a previous secret of the key, which is accepted without a time limit"
		}
		return "a previous secret of the key, which is accepted until " + date(p.Until)
	}
	return "the current secret of the key"
}

func date(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// read records the credential, and the canonical request and string to sign that the
// verifier computes.
func (s *search) read(r *http.Request) {
	path, query := canonical.Target(r)
	s.base = hypothesis{method: r.Method, host: r.Host, path: s.policy.Rewrite.AddPrefix + path, query: query, header: r.Header}
	if s.policy.Rewrite.Host != "" {
		s.base.host = s.policy.Rewrite.Host
	}
	for _, scheme := range s.policy.Schemes { // the report must not show their secrets
		s.fixed(scheme.Keys())
	}
	for _, other := range s.others {
		for _, scheme := range other.policy.Schemes {
			s.fixed(scheme.Keys())
		}
	}
	s.bodyHash = sha256Hash
	x := &s.explanation
	head := s.request(&s.base)
	scheme, c, err := s.parse(head, &s.base)
	if err != nil {
		s.base.digest = s.hash(s.body)
		return
	}
	s.scheme, s.credential = scheme, c
	if c.Hash != nil {
		s.bodyHash = c.Hash
	}
	s.base.digest = s.hash(s.body)
	x.Scheme, x.Algorithm, x.KeyID = scheme.Name(), c.Algorithm, c.KeyID
	if x.Code == "" || x.Code != core.CodeUnavailable {
		if key := s.key(scheme, c.KeyID); key != nil {
			x.Key = key.Name
		}
	}
	if !c.SignsRequest {
		return
	}
	x.SignedAt, x.Skew, x.Allowed = c.Time, s.now.Sub(c.Time), s.policy.ClockSkew
	if c.Presigned {
		x.Allowed = c.Expires
	}
	side := "before"
	if x.Skew < 0 {
		side = "after"
	}
	x.Clock = fmt.Sprintf("%s %s the clock; %s allowed", elapsed.Between(s.now, c.Time), side, elapsed.Text(x.Allowed))
	if shown, ok := scheme.(core.Canonicalizer); ok {
		x.CanonicalRequest, x.StringToSign, _ = shown.Canonical(head, c, payloadOf(&s.base, c))
		x.Lines = compare(s.hints.CanonicalRequest, x.CanonicalRequest)
	}
}

// readBody reads the body and restores it.
func (s *search) readBody(r *http.Request, most int64) (failed error) {
	s.whole = true
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	source := r.Body
	if r.GetBody != nil {
		if again, err := r.GetBody(); err == nil {
			defer again.Close()
			source = again
		}
	}
	s.body, failed = io.ReadAll(io.LimitReader(source, most+1))
	s.broken = failed != nil
	s.whole = failed == nil && int64(len(s.body)) <= most
	if source == r.Body {
		rest := tail(failed)
		if failed == nil && !s.whole {
			rest = source
		}
		r.Body = &restored{io.MultiReader(bytes.NewReader(s.body), rest), source}
	}
	return failed
}

// restored is a body that was read, in part or completely, and can be read again.
type restored struct {
	io.Reader
	io.Closer
}

func tail(err error) io.Reader {
	if err == nil {
		err = io.EOF
	}
	return errReader{err}
}

// errReader is a reader that fails.
type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) {
	return 0, r.err
}
