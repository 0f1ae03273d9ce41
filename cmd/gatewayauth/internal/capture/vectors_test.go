package capture_test

import (
	"errors"
	"os"
	"testing"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/explain"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// TestVerdictsOfVectors_T184: the requests of the vectors, read as captures, have the
// verdicts of the vectors, except those that depend on earlier requests.
func TestVerdictsOfVectors_T184(t *testing.T) {
	files, err := vectors.Load(os.DirFS("../../../../core/testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, file := range files {
		for i := range file.Vectors {
			v := &file.Vectors[i]
			if v.Before != nil {
				continue
			}
			t.Run(file.Scheme+"/"+v.Name, func(t *testing.T) {
				var policy core.Config
				judge, err := file.Judge(v, func(c *core.Config) { policy = *c })
				if err != nil {
					t.Fatal(err)
				}
				defer judge.Close() // the search for a cause may send other requests to the identity service
				c, err := capture.Parse(v.Request, capture.Options{Format: "raw"})
				if _, ok := errors.AsType[*capture.Refused](err); ok {
					t.Fatalf("%v, want %q", err, v.Code)
				} else if err != nil {
					t.Fatal(err)
				}
				x, err := explain.Explain(c.Fresh(t.Context()), policy, explain.Hints{MaxTries: 1})
				if err != nil || x.Code != v.Code {
					t.Errorf("got %q, want %q, %v", x.Code, v.Code, err)
				}
				judged++
			})
		}
	}
	if judged < 100 {
		t.Errorf("only %d vectors were judged", judged)
	}
}
