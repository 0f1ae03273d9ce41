package canonical

import "net/http"

// SDKForm is in what the canonical requests of the SDK-* and V11 schemes
// differ. The zero value is the form of PROTOCOLS section 1.1.
type SDKForm struct {
	// Collapse makes one space of every run of white space inside a header
	// value (PROTOCOLS section 1.2).
	Collapse bool
	// Without is the decoded name of the query parameter that is left out: the one
	// that holds the signature. Unreserved characters only.
	Without string
}

// BuildSDK builds the canonical request of the SDK-* and V11 schemes
// (PROTOCOLS section 1.1) into m.Request:
//
//	METHOD \n path \n query \n headers \n SignedHeaders \n payload
//
// The path must have passed [CheckPath]. It reports whether the next [Order] of the query gives another one.
func (m *Message) BuildSDK(r *http.Request, signedHeaders, payload string, order Order, form SDKForm) (more bool, err error) {
	t := m.targetFor(r)
	if err = m.headers.read(r, signedHeaders); err != nil {
		return false, err
	}
	b := AppendLine(m.Request[:0], r.Method)
	b = appendPath(b, t.path, t.shape)
	b = append(b, '\n')
	if err = m.query.read(t.query); err != nil {
		return false, err
	}
	if form.Without != "" {
		m.query.Drop(form.Without)
	}
	more = order == ByDecoded && m.query.Differs()
	b = m.query.Append(b, order)
	b = append(b, '\n')
	return more, m.finish(b, payload, false, form.Collapse)
}
