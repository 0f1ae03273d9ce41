package core

import (
	"net/http"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// verification is the state of one verification. It is pooled.
type verification struct {
	state

	// Memory that is used again.
	message   *canonical.Message
	mux       *muxRequest
	protected []protectedHeader // headers that a check after the credential looks at
	unknown   signedHeaders     // list, where that is not remembered
}

// state is forgotten with the request.
type state struct {
	policy  *policy
	request *http.Request // as received
	signed  *http.Request // as the gateway sent it, see [Rewrite]
	use     BodyUse
	held    bool    // the body is in memory, where its user releases it
	cleanup bool    // the body is released with the request, since its user may not do it
	routes  []Route // what the adapter says
	refused bool    // by the adapter itself
	now     time.Time
	started time.Time // real time, zero where nobody asks

	// What the checks find, in their order.
	path, query   string // as received
	bindingKey    bindingKey
	binding       *binding
	lookedUp      bool // the binding was not remembered
	open          bool // it is that of an open API
	authorization []string
	connection    []string
	hostHeader    bool
	kinds         kind // of all protected headers
	scheme        *compiledScheme
	credential    Credential
	list          *signedHeaders
	key           *Key
	usage         *keyUsage // of the key, if it is of a fixed set
	payload       string    // what stands for the body, once that is known
	secret        int       // the index of the one that the scheme accepted
	used          Secret    // that secret
	announced     int64     // the length of a body that is checked while the handler reads
	digested      bool      // the body was read, and has the digest that was signed

	replayChecked     bool        // the request is the first of its kind, or its permitted retry
	retry             bool        // it is that
	permission        *permission // nil where no retry can be permitted
	replayUnchecked   bool        // the replay store could not tell, and that is allowed
	replayUnavailable bool        // the replay store could not tell
	secrets           [4]Secret   // room for those of the key
	route             [1]Route    // room for routes
}

var verifications = sync.Pool{New: func() any {
	return &verification{message: new(canonical.Message), mux: new(muxRequest)}
}}

func (p *policy) newVerification(r *http.Request, use BodyUse) *verification {
	v := verifications.Get().(*verification)
	v.policy, v.request, v.signed, v.use, v.binding, v.list = p, r, r, use, noBinding, &v.unknown
	v.credential = v.noCredential()
	return v
}

// free gives v back to the pool, without anything of its request or its policy.
func (v *verification) free() {
	const most = 256
	if cap(v.protected) > most || cap(v.unknown.Names) > most {
		return // a request of that size shall not pin its memory
	}
	v.state = state{}
	v.message.Reset()
	if v.mux.URL != nil {
		*v.mux = muxRequest{}
	}
	clear(v.protected)
	v.protected = v.protected[:0]
	v.unknown.reset()
	verifications.Put(v)
}
