package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// draft is a request that is being built: what is sent, and what its signer signs. A
// [change] before [draft.sign] is signed. A change after it is one that an attacker or a
// proxy makes.
type draft struct {
	method, target string
	lines          []string // header lines, without Authorization and the framing
	body           string
	chunk          int    // size of the chunks of the body; 0 for Content-Length
	length         string // Content-Length, if it differs from the body's length

	algorithm *algorithm // nil for schemes without a signature
	key       vectors.Key
	date      string   // empty: no date is sent
	extra     []string // other signed headers
	list      string   // SignedHeaders
	listed    bool     // list is set explicitly, independent of the request
	payload   string   // the payload line, if it differs from the one of the request
	expires   string   // for a credential in the query
	presigned bool
	// token of the algorithm, and the parts of the scope. Unless set, they are those of
	// the key and the date.
	token, day, region, service, end string
	byEncoded                        bool // the signer sorts the encoded query

	signature     string
	authorization string
	parameters    []parameter // the encoded parameters of a credential in the query
}

type parameter struct{ name, value string }

// change is a change of a draft.
type change func(*draft)

// sign computes the credential.
func (d *draft) sign() {
	a := d.algorithm
	if a == nil {
		return
	}
	if d.token == "" {
		d.token = a.token(d.key)
	}
	var protocol []string
	if d.date != "" && !d.presigned {
		protocol = append(protocol, a.dateHeader()+": "+d.date)
	}
	if set := d.key.Region; a.regionSet && !d.presigned && len(d.values("X-Amz-Region-Set")) == 0 {
		protocol = append(protocol, "X-Amz-Region-Set: "+set)
	}
	if d.key.SessionToken != "" && !(d.presigned && a.tokenInQuery) && d.value(a.tokenHeader) == "" {
		protocol = append(protocol, a.tokenHeader+": "+d.key.SessionToken)
	}
	d.lines = slices.Insert(d.lines, 1, protocol...)
	if !d.listed {
		d.list = d.signedHeaders()
	}
	if d.presigned {
		d.presign()
		return
	}
	_, text := d.computed()
	d.signature = a.sign(d.key, d.scope(), text)
	fields := []string{"SignedHeaders=" + d.list, "Signature=" + d.signature}
	if credential := d.credential(); credential != "" {
		fields = slices.Insert(fields, 0, a.field+"="+credential)
	}
	d.authorization = d.token + " " + strings.Join(fields, ", ")
}

// presign computes the credential in the query.
func (d *draft) presign() {
	a := d.algorithm
	for _, p := range []parameter{
		{"Algorithm", d.token}, {"Credential", d.credential()}, {"Date", d.date}, {"Expires", d.expires}, {"SignedHeaders", d.list},
	} {
		d.parameters = append(d.parameters, parameter{a.prefix + p.name, url.QueryEscape(p.value)})
	}
	if d.key.SessionToken != "" && a.tokenInQuery {
		d.parameters = append(d.parameters, parameter{a.tokenHeader, url.QueryEscape(d.key.SessionToken)})
	}
	if a.regionSet {
		d.parameters = append(d.parameters, parameter{"X-Amz-Region-Set", url.QueryEscape(d.key.Region)})
	}
	_, text := d.computed()
	d.signature = a.sign(d.key, d.scope(), text)
	d.parameters = append(d.parameters, parameter{a.prefix + "Signature", d.signature})
}

// signedHeaders returns the list of host, the headers that the protocol requires, and the
// extra ones.
func (d *draft) signedHeaders() string {
	names := append([]string{"host"}, d.extra...)
	for _, line := range d.lines {
		name, _, _ := strings.Cut(strings.ToLower(line), ":")
		if strings.HasPrefix(name, strings.ToLower(d.algorithm.prefix)) || name == strings.ToLower(d.algorithm.tokenHeader) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ";")
}

// credential returns the id of the key, with the scope if there is one.
func (d *draft) credential() string {
	if scope := d.scope(); scope != "" {
		return d.key.Key + "/" + scope
	}
	return d.algorithm.id(d.key)
}

// scope returns the scope of the algorithm.
func (d *draft) scope() string {
	or := func(text, otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	parts := d.algorithm.scope
	day := d.date
	if len(day) > 8 {
		day = day[:8]
	}
	return strings.NewReplacer("DAY", or(d.day, day), "REGION", or(d.region, d.key.Region),
		"SERVICE", or(d.service, d.key.Service), "END", or(d.end, d.algorithm.end)).Replace(parts)
}

// computed returns the canonical request and the string to sign of the current request.
func (d *draft) computed() (request, text string) {
	a := d.algorithm
	path, query, _ := strings.Cut(d.wireTarget(false), "?")
	request = strings.Join([]string{
		d.method, a.path(path, d.key), a.query(query, d.byEncoded), a.headers(d), d.list, d.payloadLine(),
	}, "\n")
	lines := []string{d.token, d.timestamp()}
	if scope := d.scope(); scope != "" {
		lines = append(lines, scope)
	}
	return request, strings.Join(append(lines, a.hash(request)), "\n")
}

func (d *draft) timestamp() string {
	if d.presigned {
		return d.date
	}
	return d.value(d.algorithm.dateHeader())
}

// payloadLine returns the digest header if it is signed, and otherwise the hash of the
// body.
func (d *draft) payloadLine() string {
	header := d.algorithm.digestHeader
	switch {
	case d.payload != "":
		return d.payload
	case slices.Contains(strings.Split(d.list, ";"), strings.ToLower(header)):
		return d.value(header)
	}
	return d.algorithm.hash(d.body)
}
