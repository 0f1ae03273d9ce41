package sigv4suite

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gatewayauth/gatewayauth/conformance/internal/wire"
	"github.com/gatewayauth/gatewayauth/core"
)

// deviation is a case of the suite that is refused, with the reason.
type deviation struct {
	code core.Code
	why  string
}

// refused has the cases that are refused, by the name of the case, which exists in four
// variants.
var refused = func() map[string]deviation {
	table := map[string]deviation{}
	for _, name := range []string{
		"get-relative-normalized", "get-relative-relative-normalized", "get-slash-dot-slash-normalized",
		"get-slash-normalized", "get-slash-pointless-dot-normalized", "get-slashes-normalized",
	} {
		for _, form := range forms {
			table[form+"/"+name] = deviation{core.CodeRequestAmbiguous,
				"normalization changes the path, so it has the signature of another path that routers distinguish"}
		}
	}
	for _, scheme := range []string{"aws-sigv4", "aws-sigv4a"} {
		table[scheme+"-header/post-sts-header-after"] = deviation{core.CodeHeaderNotSigned,
			"the session token was added after signing: an x-amz-* header that is not signed"}
		table[scheme+"-query/post-sts-header-after"] = deviation{core.CodeSignatureMismatch,
			"the session token was added after signing: every parameter is part of what is signed"}
	}
	return table
}()

var forms = []string{"aws-sigv4-header", "aws-sigv4-query", "aws-sigv4a-header", "aws-sigv4a-query"}

// TestSuite (T004) sends every case unchanged, and then with single bytes changed.
func TestSuite(t *testing.T) {
	vectors := load(t)
	for name := range refused {
		if !slices.ContainsFunc(vectors, func(v vector) bool { return v.name() == name }) {
			t.Errorf("there is no case with the name %s", name)
		}
	}
	var accepted, deviating, unsure, changes int
	for _, v := range vectors {
		t.Run(v.name(), func(t *testing.T) {
			policy, err := v.policy()
			if err != nil {
				t.Fatal(err)
			}
			backend := wire.Start(t, policy)
			answer := backend.Send(t, v.Raw)
			want, deviates := refused[v.name()]
			switch {
			case v.Unsure != strings.HasSuffix(v.name(), "/post-sts-header-after"):
				t.Errorf("unsure is %v: %s", v.Unsure, v.AdapterNote)
			case deviates:
				if len(answer.Runs) > 0 || !slices.Equal(answer.Codes, []core.Code{want.code}) {
					t.Errorf("got status %d, codes %q, %d runs of the handler; want %s: %s",
						answer.Status, answer.Codes, len(answer.Runs), want.code, want.why)
				}
				deviating++
				if v.Unsure {
					unsure++
					t.Logf("the suite is unsure about this case: %s", v.AdapterNote)
				}
				return
			case answer.Status != 200 || len(answer.Runs) != 1:
				t.Fatalf("got status %d, codes %q, %d runs of the handler; want it accepted", answer.Status, answer.Codes, len(answer.Runs))
			}
			accepted++
			run := answer.Runs[0]
			if _, body, _ := bytes.Cut(v.Raw, []byte("\r\n\r\n")); !run.Identity.Verified() || !bytes.Equal(run.Body, body) {
				t.Errorf("got identity %v and body %q", run.Identity, run.Body)
			}
			for _, raw := range changed(v) {
				changes++
				if answer := backend.Send(t, raw); answer.Status < 400 || len(answer.Runs) > 0 {
					t.Errorf("with a byte changed: got status %d, %d runs of the handler\n%q\n%q", answer.Status, len(answer.Runs), v.Raw, raw)
				}
			}
		})
	}
	t.Logf("%d accepted, each refused with a byte changed (%d requests); %d refused as expected, %d of them unsure",
		accepted, changes, deviating, unsure)
}

// changed returns requests that differ from v.Raw in one byte each: a letter for a letter
// and a digit for a digit, chosen by a generator with the name of the case as its seed.
// These requests sign everything except the protocol version, the line breaks, and the
// headers for the length of the message.
func changed(v vector) (requests [][]byte) {
	seed := fnv.New64a()
	seed.Write([]byte(v.ID))
	random := rand.New(rand.NewPCG(seed.Sum64(), 4))
	var places []int
	head := bytes.Index(v.Raw, []byte("\r\n\r\n"))
	start := 0
	for line := range bytes.Lines(v.Raw[:head+2]) {
		end := start + len(line) - 2
		switch {
		case start == 0:
			end -= len(" HTTP/1.1")
		case bytes.HasPrefix(line, []byte("Content-Length:")):
			end = start
		}
		for i := start; i < end; i++ {
			places = append(places, i)
		}
		start += len(line)
	}
	for i := head + 4; i < len(v.Raw); i++ {
		places = append(places, i)
	}
	for range 24 {
		i := places[random.IntN(len(places))]
		requests = append(requests, wire.Replace(v.Raw, i, other(v.Raw[i])))
	}
	return requests
}

// other returns another byte of the same kind.
func other(b byte) byte {
	switch {
	case b == '9' || b == 'z' || b == 'Z':
		return b - 1
	case '0' <= b && b < '9' || 'a' <= b && b < 'z' || 'A' <= b && b < 'Z':
		return b + 1
	case b >= 0x80:
		return b ^ 1
	}
	return 'x'
}
