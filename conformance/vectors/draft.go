package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// draft is a request on its way to the wire: what is sent, and what its signer
// says about it. A [change] before [draft.sign] is signed as it stands; one
// after it is made by somebody on the way.
type draft struct {
	method, target string
	lines          []string // header lines, without Authorization and the framing
	body           string
	chunk          int    // size of the chunks of the body; 0 for Content-Length
	length         string // Content-Length, where it is not the body's

	algorithm *algorithm // nil for schemes that sign nothing
	key       vectors.Key
	date      string   // empty: none is sent
	extra     []string // headers that are signed although nothing asks for it
	list      string   // SignedHeaders
	listed    bool     // list is what it is, whatever the request has
	payload   string   // the payload line, where it is not what the request says
	expires   string   // of the query form
	presigned bool
	// token of the algorithm, and the parts of the scope: the key's and the
	// date's unless set.
	token, day, region, service, end string
	byEncoded                        bool // the signer sorts the encoded query

	signature     string
	authorization string
	parameters    []parameter // of the query form, encoded
}

type parameter struct{ name, value string }

// change is one named change to a draft.
type change func(*draft)

// sign makes the credential.
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

// presign makes the credential in the query.
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

// signedHeaders lists host, what the protocol asks for, and the extra ones.
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

// credential is what names the key: its id, with the scope where there is one.
func (d *draft) credential() string {
	if scope := d.scope(); scope != "" {
		return d.key.Key + "/" + scope
	}
	return d.algorithm.id(d.key)
}

// scope joins the parts that the algorithm has.
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

// computed returns canonical request and string to sign of the request as it
// stands.
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

// payloadLine is the digest header where it is signed, and else the hash of the body.
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
