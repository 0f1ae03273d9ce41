package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A Contender is a verifier that is measured.
type Contender struct {
	Name string
	// Like is the name of the contender of this library for the same scheme; empty for
	// ours.
	Like  string
	setup func(Request) *subject // returns nil if it does not verify such requests
}

// A Verify verifies the same request again, including the body.
type Verify func() error

// subject is a request with its verifier.
type subject struct {
	verify Verify
	// changes change the request, and undo the change when called again.
	changes []func()
}

// Setup prepares the verification of q. It checks that q is accepted and each change of it
// refused. It returns nil if the contender does not verify such requests.
func (c Contender) Setup(q Request) (Verify, error) {
	s := c.setup(q)
	if s == nil {
		return nil, nil
	}
	for i, change := range s.changes {
		if err := s.verify(); err != nil {
			return nil, fmt.Errorf("%s refuses %s: %w", c.Name, q.Name, err)
		}
		change()
		if s.verify() == nil {
			return nil, fmt.Errorf("%s accepts %s with change %d", c.Name, q.Name, i)
		}
		change()
	}
	if len(s.changes) == 0 {
		return nil, fmt.Errorf("%s was tested with no changes of %s", c.Name, q.Name)
	}
	return s.verify, s.verify()
}

// Contenders returns all contenders, the floor first.
func Contenders() []Contender {
	flat, scoped := core.Keys(key()), core.Keys(scopedKey())
	return []Contender{
		{"floor", "", floor},
		{"gatewayauth-hmac", "", gatewayauth(apig.New(apig.Config{Keys: flat}), NewSigner())},
		{"gatewayauth-hmac-streamed", "", streamed},
		{"gatewayauth-sigv4", "", gatewayauth(sigv4.New(sigv4.Config{Keys: scoped}), sigv4.NewSigner(scopedKey(), sigv4.SignOptions{Headers: headers}))},
		{"gatewayauth-v11", "", gatewayauth(apig.NewV11(apig.Config{Keys: scoped}), apig.NewV11Signer(scopedKey(), apig.SignOptions{Headers: headers}))},
		{"gatewayauth-sigv4a", "", gatewayauth(sigv4.NewA(sigv4.ConfigA{Keys: scoped}), sigv4.NewSignerA(scopedKey(), sigv4.SignOptions{Headers: headers}))},
		{"huawei-sdk-resign", "gatewayauth-hmac", huawei},
		{"aws-sdk-resign", "gatewayauth-sigv4", aws},
		{"gofakes3", "gatewayauth-sigv4", gofakes3},
		{"httpsig-go", "gatewayauth-hmac", httpsigGo},
		{"golang-jwt", "gatewayauth-hmac", golangJWT},
	}
}

func key() core.Key {
	return core.Key{Name: "orders", ID: keyID, Secret: core.NewSecret(secret)}
}

func scopedKey() core.Key {
	k := key()
	k.Region, k.Service = region, service
	return k
}

// signer is a signer of apig or sigv4.
type signer interface {
	Sign(r *http.Request, digest string, at time.Time) error
}

// NewSigner returns a signer with the key that [Config] accepts. It signs the host, the
// date, and the headers of these requests.
func NewSigner() *apig.Signer { return NewSignerOf(key()) }

// NewSignerOf is like [NewSigner], with another key.
func NewSignerOf(k core.Key) *apig.Signer {
	return apig.NewSigner(k, apig.SignOptions{Headers: headers})
}

// NewPresigner returns a signer of AWS4-HMAC-SHA256 with a key that has a scope.
func NewPresigner(k core.Key) *sigv4.Signer {
	return sigv4.NewSigner(k, sigv4.SignOptions{Headers: headers})
}

// NewDeclaringSigner is like [NewSigner], with the body's digest in a header.
func NewDeclaringSigner() *apig.Signer {
	return apig.NewSigner(key(), apig.SignOptions{Headers: headers, Payload: core.PayloadDeclared})
}

// NewUnsignedSigner is like [NewSigner], with an unsigned payload.
func NewUnsignedSigner() *apig.Signer {
	return apig.NewSigner(key(), apig.SignOptions{Headers: headers, Payload: core.PayloadUnsigned})
}

// Config returns a policy that accepts requests of [NewSigner]. It logs nothing.
func Config() core.Config { return config(apig.New(apig.Config{Keys: core.Keys(key())})) }

func config(scheme core.Scheme) core.Config {
	return core.Config{Environment: "bench", Schemes: []core.Scheme{scheme}, Default: "orders", Logger: slog.New(slog.DiscardHandler)}
}

// gatewayauth returns a subject with its own Verifier.
func gatewayauth(scheme core.Scheme, s signer) func(Request) *subject {
	return func(q Request) *subject {
		v, err := core.New(config(scheme))
		if err != nil {
			panic(err)
		}
		return q.of(q.signed(s), func(r *http.Request) error {
			_, err := v.Verify(r)
			core.Release(r)
			return err
		})
	}
}

// streamed returns a subject whose handler reads the body while its digest is checked, for
// requests with a body.
func streamed(q Request) *subject {
	if q.Body == nil {
		return nil
	}
	c := Config()
	c.APIs = []core.API{{Match: "/v1/", Key: c.Default, Stream: true}}
	v, err := core.New(c)
	if err != nil {
		panic(err)
	}
	return q.of(q.signed(NewDeclaringSigner()), func(r *http.Request) error {
		a, err := v.Admit(nil, r, core.BodyForHandler)
		if err != nil {
			return err
		}
		defer a.Release()
		_, err = io.Copy(io.Discard, a.Request.Body)
		return err
	})
}

// signed returns the signed request as a server receives it.
func (q Request) signed(s signer) *http.Request {
	r := q.Received()
	if err := s.Sign(r, q.digest(), time.Now()); err != nil {
		panic(err)
	}
	return r
}

// Signed returns the signed request as a server receives it, with this request id.
func (q Request) Signed(s signer, id, digest string) (*http.Request, error) {
	r := q.Received()
	r.Header.Set("X-Request-Id", id)
	return r, s.Sign(r, digest, time.Now())
}

// Floor returns the work that no verifier of q can avoid.
func Floor(q Request) Verify { return floor(q).verify }
