package capture

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// archive is the part of HAR 1.2 that is read.
type archive struct {
	Log struct {
		Entries []json.RawMessage `json:"entries"`
	} `json:"log"`
}

type entry struct {
	Started string `json:"startedDateTime"`
	Request struct {
		Method   string `json:"method"`
		URL      string `json:"url"`
		Protocol string `json:"httpVersion"`
		Headers  []pair `json:"headers"`
		Data     *struct {
			MIME     string `json:"mimeType"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
			Params   []pair `json:"params"`
		} `json:"postData"`
	} `json:"request"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func parseHAR(data []byte, index int) (*Captured, error) {
	var a archive
	if json.Unmarshal(data, &a) != nil {
		return nil, errors.New("this is not the JSON of a HAR file")
	}
	if n := len(a.Log.Entries); index < 0 || index >= n {
		return nil, fmt.Errorf("there is no entry %d; the file has %d, counted from 0", index, n)
	}
	var e entry
	if json.Unmarshal(a.Log.Entries[index], &e) != nil {
		return nil, fmt.Errorf("entry %d is not a valid entry of a HAR file", index)
	}
	host, target, err := splitURL(e.Request.URL)
	if err != nil {
		return nil, err
	}
	authority, target, headers := e.headers(host, target)
	body, notes, err := e.body()
	if err != nil {
		return nil, err
	}
	if n := len(a.Log.Entries); n > 1 {
		notes = append(notes, fmt.Sprintf("the file has %d requests: number %d (counted from 0) is explained; select another with --entry", n, index))
	}
	if e.Request.Method == "" {
		return nil, errors.New("the entry has no method")
	}
	c, err := build(e.Request.Method, target, authority, headers, body)
	if err != nil {
		return nil, err
	}
	if e.isHTTP2() && !e.has("content-length") {
		c.Request.Header.Del("Content-Length") // optional in HTTP/2
	}
	c.At, _ = time.Parse(time.RFC3339, e.Started)
	c.Notes = append(c.Notes, notes...)
	return c, nil
}

// headers returns the host, the target and the headers of the entry. The pseudo-headers of
// HTTP/2, if there are any, replace the host and target of the URL.
func (e *entry) headers(host, target string) (string, string, [][2]string) {
	var headers [][2]string
	for _, h := range e.Request.Headers {
		switch name := strings.ToLower(h.Name); {
		case name == ":authority":
			host = h.Value
		case name == ":path":
			target = h.Value
		case name == "host" && e.isHTTP2() && e.has(":authority"):
		case strings.HasPrefix(name, ":"):
		default:
			headers = append(headers, [2]string{h.Name, h.Value})
		}
	}
	return host, target, headers
}

// isHTTP2 reports whether the request was one of HTTP/2 or 3.
func (e *entry) isHTTP2() bool {
	version := strings.TrimPrefix(strings.ToLower(e.Request.Protocol), "http/")
	return strings.HasPrefix(version, "h2") || strings.HasPrefix(version, "h3") || strings.HasPrefix(version, "2") || strings.HasPrefix(version, "3") ||
		e.has(":authority") || e.has(":method")
}

func (e *entry) has(name string) bool {
	for _, h := range e.Request.Headers {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// body returns the body of the entry, as far as it was saved, with notes about it.
func (e *entry) body() (body []byte, notes []string, err error) {
	d := e.Request.Data
	switch {
	case d == nil:
		return nil, []string{"the entry has no body; browsers do not save all bodies"}, nil
	case strings.EqualFold(d.Encoding, "base64"):
		if body, err = base64.StdEncoding.DecodeString(d.Text); err != nil {
			return nil, nil, errors.New("the body of the entry is marked as base64, and is not valid base64")
		}
		return body, nil, nil
	case d.Text == "" && len(d.Params) > 0 && strings.HasPrefix(strings.ToLower(d.MIME), "multipart/"):
		return nil, []string{"the entry has the parts of a form and not its text, so its body is unknown: save the request itself"}, nil
	case d.Text == "" && len(d.Params) > 0:
		var pairs []string
		for _, p := range d.Params {
			pairs = append(pairs, url.QueryEscape(p.Name)+"="+url.QueryEscape(p.Value))
		}
		return []byte(strings.Join(pairs, "&")), []string{"the entry has the parameters of a form and not its text: the body is a guess"}, nil
	case strings.ContainsRune(d.Text, '\ufffd'):
		notes = append(notes, "the body of the entry was not text, so the saved body is not the one that was sent: save the request itself")
	}
	return []byte(d.Text), notes, nil
}
