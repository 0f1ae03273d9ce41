package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// request returns the request that curl would send.
func (p *curl) request() (*Captured, error) {
	if len(p.urls) > 1 {
		return nil, errors.New("the command has more than one URL, and so sends more than one request: keep only the one to explain")
	}
	if err := p.conflicts(); err != nil {
		return nil, err
	}
	u, target, err := p.address()
	if err != nil {
		return nil, err
	}
	if p.json {
		for _, name := range []string{"Content-Type", "Accept"} {
			if !p.given(name) {
				p.headers = append(p.headers, name+": application/json")
			}
		}
	}
	method := p.verb()
	if strings.ContainsAny(method+target, " \t\r\n") || method == "" {
		return nil, errors.New("the method or the target contains whitespace: percent-encode it")
	}
	body := p.body()
	version := "1.1"
	if p.http10 {
		version = "1.0"
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/%s\r\n", method, target, version)
	if err := p.writeHeaders(&head, u, body); err != nil {
		return nil, err
	}
	if p.chunked && len(body) > 0 {
		fmt.Fprintf(&head, "%x\r\n%s\r\n", len(body), body)
	}
	if p.chunked {
		head.WriteString("0\r\n\r\n")
	} else {
		head.Write(body)
	}
	return receive(head.Bytes())
}

// conflicts returns an error for combinations of options that curl or this parser refuses.
func (p *curl) conflicts() error {
	posts := p.hasData && !p.get
	switch {
	case p.head && posts, p.head && p.upload != nil, p.upload != nil && p.hasData:
		return errors.New("curl takes only one of --head, --data and --upload-file")
	case p.get && p.hasData && p.query != nil:
		return errors.New("versions of curl differ in what --url-query does together with --get: write the query into the URL")
	case p.upload != nil && p.crlf:
		return errors.New("--crlf and --use-ascii together with --upload-file are not supported: save the request itself")
	case p.byteRange != nil && (posts || p.upload != nil):
		return errors.New("--range together with a body is not supported: save the request itself")
	}
	return nil
}

// address returns the URL, and the target of the request line.
func (p *curl) address() (*curlURL, string, error) {
	text := p.urls[0]
	if !p.globOff {
		var err error
		if text, err = unglobbed(text); err != nil {
			return nil, "", err
		}
	}
	u, err := splitCurlURL(text, p.scheme)
	if err != nil {
		return nil, "", err
	}
	more := p.query
	if p.get && p.hasData {
		data := string(p.data)
		more, p.hasData, p.data = &data, false, nil
	}
	intoFolder := p.upload != nil && strings.HasSuffix(dotless(u.path), "/")
	if !p.asIs || more != nil || intoFolder { // curl rewrites these URLs
		p.resolveDots(u)
	}
	if intoFolder {
		u.path += strings.ReplaceAll(url.QueryEscape(p.uploadName), "+", "%20")
	}
	if more != nil {
		if u.query, err = p.appendQuery(u.query, *more); err != nil {
			return nil, "", err
		}
	}
	if p.target != "" {
		return u, p.target, nil
	}
	return u, u.path + u.query, nil
}

func (p *curl) resolveDots(u *curlURL) {
	if clean := dotless(u.path); clean != u.path {
		p.note("curl resolves the dot segments of the path before it sends it")
		u.path = clean
	}
	if hasEncodedDots(u.path) {
		p.note("the path has encoded dot segments: new versions of curl resolve them, explain does not")
	}
}

func (p *curl) verb() string {
	switch {
	case p.method != "":
		return p.method
	case p.head:
		return "HEAD"
	case p.upload != nil:
		return "PUT"
	case p.hasData:
		return "POST"
	}
	return "GET"
}

func (p *curl) body() []byte {
	if p.upload != nil {
		return []byte(*p.upload)
	}
	return p.data
}
