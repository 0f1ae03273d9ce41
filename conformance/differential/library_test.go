package differential_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gatewayauth/gatewayauth/core"
)

// An outcome is what the library made of a message.
type outcome struct {
	accepted bool
	refusal  string // the code and its detail
	code     core.Code
	identity *core.Identity
	request  *http.Request // as the handler has it
	body     []byte        // what the handler reads
	runs     int           // of the handler, over sockets
	inFront  int           // bytes of the body that something in front has read
	broken   bool          // what is in front met an error
	stream   bool          // the handler had the request before its body was verified
}

// remote is the address of every sender.
const remote = "192.0.2.1:1234"

// read reads a message as a server does, which takes no other version than 1 of HTTP.
func read(raw []byte) (*http.Request, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, err
	}
	if r.ProtoMajor != 1 {
		return nil, errVersion
	}
	r.RemoteAddr = remote
	return r, nil
}

var errVersion = errors.New("not version 1 of HTTP")

// front is what stands in front of the verifier and touches the body.
type front int

const (
	nothing       front = iota
	drained             // reads the body to its end
	replaced            // and puts an empty one in its place
	emptied             // and says that there is none, if there was one
	readInPart          // reads one byte
	formParsed          // asks for the form
	numberOfFront = iota
)

// admit has the verifier of the world judge a message, and reads the body as a handler
// does. A body that fails is a refusal: the handler cannot have taken it for whole.
func (w *world) admit(r *http.Request, f front) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{refusal: fmt.Sprint("panic: ", p), code: "panic"}
		}
	}()
	o.touch(r, f)
	a, err := w.verifier.Admit(nil, r, core.BodyForHandler)
	defer a.Release()
	if err == nil {
		o.request = a.Request
		o.identity, _ = core.FromContext(a.Request.Context())
		o.body, err = io.ReadAll(a.Request.Body)
	}
	o.accepted = err == nil
	if err != nil {
		o.refusal, o.code = err.Error(), core.CodeOf(err)
		if refusal, ok := errors.AsType[*core.Error](err); ok {
			o.refusal = string(refusal.Code) + ": " + refusal.Detail
		}
	}
	return o
}

// touch does what is in front of the verifier.
func (o *outcome) touch(r *http.Request, f front) {
	if f == nothing || r.Body == nil || r.Body == http.NoBody {
		return
	}
	counted := &countedBody{ReadCloser: r.Body}
	r.Body = counted
	switch f {
	case drained, replaced, emptied:
		io.Copy(io.Discard, r.Body)
	case readInPart:
		r.Body.Read(make([]byte, 1))
	case formParsed:
		r.ParseForm()
	}
	if f == replaced || f == emptied {
		r.Body = http.NoBody
	}
	if f == emptied && counted.n > 0 {
		r.ContentLength = 0
	}
	o.inFront, o.broken = counted.n, counted.broken
}

type countedBody struct {
	io.ReadCloser
	n      int
	broken bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += n
	b.broken = b.broken || err != nil && err != io.EOF
	return n, err
}
