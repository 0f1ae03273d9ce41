package core_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// manner is how a request is handed to a verifier, and what becomes of it then.
type manner struct {
	verify  bool // else it is admitted
	use     core.BodyUse
	routes  []core.Route
	mounted bool // admitted once more
	read    int  // bytes of the body, -1 for all
	twice   bool // it is released twice
}

func (m manner) String() string {
	text := fmt.Sprintf("Admit, use %d", m.use)
	if m.verify {
		text = "Verify"
	}
	if len(m.routes) > 0 {
		text += fmt.Sprintf(", routes %+v", m.routes)
	}
	if m.mounted {
		text += ", mounted twice"
	}
	if m.read >= 0 {
		text += fmt.Sprintf(", %d bytes read", m.read)
	}
	if m.twice {
		text += ", released twice"
	}
	return text
}

func anyManner(random *rand.Rand) manner {
	m := manner{verify: random.IntN(3) == 0, use: core.BodyUse(random.IntN(3)), read: -1, twice: random.IntN(4) == 0}
	if m.verify {
		m.use = 0
	}
	if random.IntN(8) == 0 {
		m.read = random.IntN(3)
	}
	if !m.verify && random.IntN(8) == 0 {
		m.routes = []core.Route{{Segments: []string{[]string{"a", "a/b"}[random.IntN(2)]}, OtherHost: random.IntN(3) == 0}}
	}
	m.mounted = !m.verify && random.IntN(10) == 0
	return m
}

// trace is what is noted of one request beside its verdict. It is found in its context.
type trace struct{ lines []string }

type traceKey struct{}

func note(ctx context.Context, format string, args ...any) {
	if t, ok := ctx.Value(traceKey{}).(*trace); ok {
		t.lines = append(t.lines, fmt.Sprintf(format, args...))
	}
}

// observeSequence notes an event.
func observeSequence(ctx context.Context, e core.Event) {
	text := fmt.Sprint(e.Err)
	e.Err, e.Request, e.Duration = nil, nil, min(e.Duration, 1)
	note(ctx, "event %+v %s", e, text)
}

// sequenceStore notes what it is asked.
type sequenceStore struct{ memory }

// Add implements [core.ReplayStore].
func (s *sequenceStore) Add(ctx context.Context, e core.ReplayEntry) (bool, error) {
	added, err := s.memory.Add(ctx, e)
	e.Fingerprint = sha256.Sum256(e.Fingerprint[:])
	note(ctx, "replay store: %+v: %v, %v", e, added, err)
	return added, err
}

// send hands r to v and returns all that shows outside.
func (m manner) send(v *core.Verifier, r *http.Request) string {
	t, _ := r.Context().Value(traceKey{}).(*trace)
	var id *core.Identity
	var err error
	var releases []func()
	if m.verify {
		id, err = v.Verify(r)
		releases = append(releases, func() { core.Release(r) })
	} else {
		var a core.Admission
		a, err = v.Admit(nil, r, m.use, m.routes...)
		releases = append(releases, a.Release)
		if err == nil && m.mounted {
			a, err = v.Admit(nil, a.Request, m.use, m.routes...)
			releases = append(releases, a.Release)
		}
		if r = a.Request; r != nil {
			id, _ = core.FromContext(r.Context())
		}
	}
	lines := []string{describe(id, err)}
	if r != nil {
		lines = append(lines, handled(r, m.read))
	}
	slices.Reverse(releases)
	for _, release := range releases {
		release()
		if m.twice {
			release()
		}
	}
	if r != nil && r.Body != nil && m.read < 0 {
		n, err := r.Body.Read(make([]byte, 1))
		lines = append(lines, fmt.Sprintf("after its release: %d bytes, %v", n, err))
	}
	return strings.Join(append(lines, t.lines...), "\n")
}

// describe returns a verdict: the identity, or the refusal and its answer.
func describe(id *core.Identity, err error) string {
	if err != nil {
		w := httptest.NewRecorder()
		core.WriteProblem(w, nil, err)
		return fmt.Sprintf("refused: %s: %v: %d %v %s", core.CodeOf(err), err, w.Code, w.Header(), strings.TrimSpace(w.Body.String()))
	}
	if id == nil {
		return "let through"
	}
	text, _ := json.Marshal(id)
	return fmt.Sprintf("accepted: %s, id %s, secret %d, %s, payload %s", text, id.KeyID(), id.Secret(), id.SignedAt(), id.Payload())
}

// handled returns what a handler gets that reads so many bytes of the body.
func handled(r *http.Request, n int) string {
	_, verified := core.FromContext(r.Context())
	text := fmt.Sprintf("handler: %s %s%s, verified %v", r.Method, r.Host, r.RequestURI, verified)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Authorization" {
			text += fmt.Sprintf("\n  %s: %q", name, r.Header[name])
		}
	}
	text += fmt.Sprintf("\n  trailer %v, length %d, again %v", r.Trailer, r.ContentLength, r.GetBody != nil)
	if r.Body == nil {
		return text
	}
	body := io.Reader(r.Body)
	if n >= 0 {
		body = io.LimitReader(body, int64(n))
	}
	got, err := io.ReadAll(body)
	text += fmt.Sprintf("\n  body %d bytes %x, %v", len(got), sha256.Sum256(got), err)
	if r.GetBody != nil {
		again, err := r.GetBody()
		if err != nil {
			return text + fmt.Sprint(", again: ", err)
		}
		got, err = io.ReadAll(again)
		text += fmt.Sprintf(", again %d bytes %x, %v", len(got), sha256.Sum256(got), err)
	}
	return text
}
