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
		Method  string `json:"method"`
		URL     string `json:"url"`
		Headers []pair `json:"headers"`
		Data    *struct {
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
		return nil, fmt.Errorf("entry %d is not one of a HAR file", index)
	}
	host, target, err := splitURL(e.Request.URL)
	if err != nil {
		return nil, err
	}
	var headers [][2]string
	for _, h := range e.Request.Headers {
		switch name := strings.ToLower(h.Name); {
		case name == ":authority":
			host = h.Value
		case strings.HasPrefix(name, ":"):
		default:
			headers = append(headers, [2]string{h.Name, h.Value})
		}
	}
	var notes []string
	var body []byte
	if d := e.Request.Data; d != nil {
		body = []byte(d.Text)
		switch {
		case strings.EqualFold(d.Encoding, "base64"):
			if body, err = base64.StdEncoding.DecodeString(d.Text); err != nil {
				return nil, errors.New("the body is not the base64 that it says to be")
			}
		case d.Text == "" && len(d.Params) > 0:
			values := url.Values{}
			for _, p := range d.Params {
				values.Add(p.Name, p.Value)
			}
			body = []byte(values.Encode())
			notes = append(notes, "the entry has the parameters of a form and not its text: the body is a guess")
		case strings.ContainsRune(d.Text, '\ufffd'):
			notes = append(notes, "the body of the entry was not text, and is not what was sent: save the request itself")
		}
	} else {
		notes = append(notes, "the entry has no body; browsers leave some out")
	}
	if e.Request.Method == "" {
		return nil, errors.New("the entry has no method")
	}
	c, err := build(e.Request.Method, target, host, headers, body)
	if err != nil {
		return nil, err
	}
	c.At, _ = time.Parse(time.RFC3339, e.Started)
	c.Notes = append(c.Notes, notes...)
	return c, nil
}
