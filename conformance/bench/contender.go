package bench

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/sigv4"
)

// A Contender is one of the verifiers that are measured.
type Contender struct {
	Name string
	// Like names the contender that verifies the same kind of request here; empty for ours.
	Like  string
	setup func(Request) *subject // nil: does not verify such requests
}

// A Verify judges one request again, body included.
type Verify func() error

// subject is a request and what verifies it.
type subject struct {
	verify Verify
	// changes make another request of it, and undo that when called again.
	changes []func()
}

// Setup prepares to verify q, and shows that q is accepted and each change of it
// refused. It returns nil for a request that the contender does not verify.
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
		return nil, fmt.Errorf("%s was shown no changes of %s", c.Name, q.Name)
	}
	return s.verify, s.verify()
}

// Contenders lists them, the floor first.
func Contenders() []Contender {
	flat, scoped := core.Keys(key()), core.Keys(scopedKey())
	return []Contender{
		{"floor", "", floor},
		{"gatewayauth-hmac", "", gatewayauth(apig.New(apig.Config{Keys: flat}), NewSigner())},
		{"gatewayauth-sigv4", "", gatewayauth(sigv4.New(sigv4.Config{Keys: scoped}), sigv4.NewSigner(scopedKey(), sigv4.SignOptions{Headers: headers}))},
		{"gatewayauth-v11", "", gatewayauth(apig.NewV11(apig.Config{Keys: scoped}), apig.NewV11Signer(scopedKey(), apig.SignOptions{Headers: headers}))},
		{"gatewayauth-sigv4a", "", gatewayauth(sigv4.NewA(sigv4.ConfigA{Keys: scoped}), sigv4.NewSignerA(scopedKey(), sigv4.SignOptions{Headers: headers}))},
		{"huawei-sdk-resign", "gatewayauth-hmac", huawei},
		{"aws-sdk-resign", "gatewayauth-sigv4", aws},
		{"gofakes3", "gatewayauth-sigv4", gofakes3},
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

// signer is what apig and sigv4 sign with.
type signer interface {
	Sign(r *http.Request, digest string, at time.Time) error
}

// NewSigner signs with the key that [Config] accepts: host, date, and the
// headers of these requests.
func NewSigner() *apig.Signer {
	return apig.NewSigner(key(), apig.SignOptions{Headers: headers})
}

// NewDeclaringSigner is [NewSigner] with the body's digest in a header.
func NewDeclaringSigner() *apig.Signer {
	return apig.NewSigner(key(), apig.SignOptions{Headers: headers, Payload: core.PayloadDeclared})
}

// NewUnsignedSigner is [NewSigner] with the payload declared unsigned.
func NewUnsignedSigner() *apig.Signer {
	return apig.NewSigner(key(), apig.SignOptions{Headers: headers, Payload: core.PayloadUnsigned})
}

// Config is a policy that accepts what [NewSigner] signs. It logs nothing.
func Config() core.Config { return config(apig.New(apig.Config{Keys: core.Keys(key())})) }

func config(scheme core.Scheme) core.Config {
	return core.Config{Environment: "bench", Schemes: []core.Scheme{scheme}, Default: "orders", Logger: slog.New(slog.DiscardHandler)}
}

// gatewayauth verifies with a Verifier of its own.
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

// signed is the request as a server has it.
func (q Request) signed(s signer) *http.Request {
	r := q.received()
	if err := s.Sign(r, q.digest(), time.Now()); err != nil {
		panic(err)
	}
	return r
}

// Signed is the request as a server has it, with an id of its own.
func (q Request) Signed(s signer, id, digest string) (*http.Request, error) {
	r := q.received()
	r.Header.Set("X-Request-Id", id)
	return r, s.Sign(r, digest, time.Now())
}

// Floor is the work that no verifier of q can avoid.
func Floor(q Request) Verify { return floor(q).verify }
