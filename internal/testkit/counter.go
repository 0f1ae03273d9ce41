package testkit

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// A Counter is a handler that counts its runs and answers 200.
type Counter struct{ runs atomic.Int32 }

// ServeHTTP implements [http.Handler].
func (c *Counter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.runs.Add(1)
	w.WriteHeader(http.StatusOK)
	w.Write([]byte("ok"))
}

// Take returns how often the handler ran since the last call.
func (c *Counter) Take() int { return int(c.runs.Swap(0)) }

// An Exchange is a request with the expected status and number of handler runs.
type Exchange struct {
	Name    string
	Request *http.Request
	Status  int
	Runs    int // of the Counter
}

// Expect returns an Exchange with these fields.
func Expect(name string, r *http.Request, status, runs int) Exchange {
	return Exchange{name, r, status, runs}
}

// Check sends the requests to h one after the other, and checks the status of each and
// how often the handler c ran. h must serve c on some route.
func (c *Counter) Check(t testing.TB, h http.Handler, list []Exchange) {
	t.Helper()
	for _, x := range list {
		c.Take()
		w := Serve(h, x.Request)
		if runs := c.Take(); w.Code != x.Status || runs != x.Runs {
			t.Errorf("%s: got %d, %d runs; want %d, %d runs", x.Name, w.Code, runs, x.Status, x.Runs)
		}
	}
}
