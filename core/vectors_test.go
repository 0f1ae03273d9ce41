package core_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
	"github.com/gatewayauth/gatewayauth/nethttp"
)

// TestVectors: a server comes to exactly the verdict of every vector, tells the handler
// the identity, and the verifier computes what the vector says. (explain's TestVectors
// gives them to a verifier without a server.)
func TestVectors(t *testing.T) {
	testkit.EachVector(t, "testdata/vectors", func(t *testing.T, file *vectors.File, v *vectors.Vector) {
		codes := make(chan core.Code, 1)
		judge, err := file.Judge(v, func(c *core.Config) {
			c.Observers = []core.Observer{core.ObserverFunc(func(_ context.Context, e core.Event) { codes <- e.Code })}
		})
		if err != nil {
			t.Fatal(err)
		}
		runs, identity := 0, (*core.Identity)(nil)
		server := httptest.NewServer(nethttp.Middleware(judge.Verifier)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, ok := core.FromContext(r.Context()); ok {
				runs++
				identity = id
			}
		})))
		exchange := func(raw []byte) (status int, code core.Code) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.Write(raw)
			if incomplete(raw) {
				conn.(*net.TCPConn).CloseWrite()
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			problem := core.Problem{}
			if answer.StatusCode != http.StatusOK {
				if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
					t.Errorf("status %d, and no problem: %v", answer.StatusCode, err)
				}
			}
			if seen := <-codes; seen != problem.Code {
				t.Errorf("the answer says %q, the event %q", problem.Code, seen)
			}
			return answer.StatusCode, problem.Code
		}
		if v.Before != nil {
			for range v.Before.Times {
				exchange(v.Before.Request)
			}
		}
		status, code := exchange(v.Request)
		server.Close()
		if err := judge.Close(); err != nil {
			t.Error(err)
		}
		wantStatus, wantRuns := http.StatusOK, 1
		if v.Code != "" {
			wantStatus, wantRuns = core.StatusCode(core.Refuse(v.Code, "")), 0
		}
		if code != v.Code || status != wantStatus || runs != wantRuns {
			t.Errorf("got code %q, status %d, %d runs of the handler; want %q, %d, %d", code, status, runs, v.Code, wantStatus, wantRuns)
		}
		if n := judge.Buffered(); n != 0 {
			t.Errorf("%d bytes are held at the end", n)
		}
		if identity != nil && v.Identity != nil {
			compareIdentity(t, identity, v.Identity)
		}
		if v.CanonicalRequest != "" {
			canonicalRequest, stringToSign := computed(t, file, v)
			if sorted(canonicalRequest) != sorted(v.CanonicalRequest) {
				t.Errorf("got canonical request\n%s\nwant\n%s", canonicalRequest, v.CanonicalRequest)
			}
			if stringToSign != v.StringToSign && canonicalRequest == v.CanonicalRequest {
				t.Errorf("got string to sign\n%s\nwant\n%s", stringToSign, v.StringToSign)
			}
		}
	})
}

func compareIdentity(t *testing.T, id *core.Identity, want *vectors.Identity) {
	t.Helper()
	got := &vectors.Identity{Key: id.Key(), KeyID: id.KeyID(), Algorithm: id.Algorithm(), Secret: id.Secret(),
		Payload: id.Payload().String(), Covers: id.Covers()}
	for name := range want.Attributes {
		if got.Attributes == nil {
			got.Attributes = map[string][]string{}
		}
		got.Attributes[name] = id.Attribute(name)
	}
	if got, want := jsonText(t, got), jsonText(t, want); got != want {
		t.Errorf("got identity %s, want %s", got, want)
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// computed returns what the verifier makes of a vector's request, which it tells
// where it refuses: an accepted request is shown to one in which the API is bound
// to another key.
func computed(t *testing.T, file *vectors.File, v *vectors.Vector) (canonicalRequest, stringToSign string) {
	t.Helper()
	judge, err := file.Judge(v, func(c *core.Config) {
		if v.Code != "" {
			return
		}
		c.Default = file.Keys[0].Name
		if c.Default == v.Key {
			c.Default = file.Keys[1].Name
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer judge.Close()
	r := request(t, string(v.Request))
	defer core.Release(r)
	_, err = judge.Verify(r)
	p := core.ProblemOf(err)
	return p.CanonicalRequest, p.StringToSign
}

// sorted takes the order of the parameters out of a canonical request: vendors'
// signers know two, and the verifier shows the first.
func sorted(canonicalRequest string) string {
	lines := strings.Split(canonicalRequest, "\n")
	if len(lines) > 2 {
		pairs := strings.Split(lines[2], "&")
		slices.Sort(pairs)
		lines[2] = strings.Join(pairs, "&")
	}
	return strings.Join(lines, "\n")
}

// incomplete reports whether a request announces more body than it has.
func incomplete(raw []byte) bool {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err != nil
}
