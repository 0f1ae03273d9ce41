package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"utc": date, "line": signedLine, "counted": summary.Counted[int]}).Parse(pageText))

// signedLine is a line of the canonical request that was signed, as a whole.
func signedLine(l explain.Line) string {
	if strings.HasSuffix(l.Name, ":") {
		return l.Name + l.Sender
	}
	return l.Sender
}

// view is the data of the page's template: the values of the form, and the answer. It
// must not hold keys.
type view struct {
	Nonce                 string
	Environments, Formats []string

	Env, Format, At, Request, Canonical, Hosts, Prefixes, Headers, Entry string

	Problem string
	Answer  *answer
	// File is the kept request that is explained instead of a pasted one. List has all
	// kept requests.
	File string
	List *folderAnswer
	Kept bool // there is a list
}

// Title is the title of the page, with the verdict in front.
func (v *view) Title() string {
	const title = "Why was the request refused?"
	if v.Answer == nil {
		return title
	}
	return v.Answer.Title() + " – " + title
}

// Title is the verdict in a few words.
func (a *answer) Title() string {
	switch {
	case a.Server != nil:
		return fmt.Sprintf("Refused by the server: %d", a.Server.Status)
	case a.Event != nil && a.Event.Code != "":
		return "Refused: " + a.Event.Code
	case a.Explanation != nil && a.Explanation.Open:
		return "The API is open to everyone"
	case a.Explanation != nil && !a.Explanation.Accepted():
		return "Refused: " + string(a.Explanation.Code)
	}
	return "Accepted"
}

// Late reports whether the verifier's clock is so late that a saved request has expired by
// then.
func (a *answer) Late() bool {
	x := a.Explanation
	return x != nil && !x.SignedAt.IsZero() && a.Recorded == nil && a.At.Sub(x.SignedAt) > x.Allowed
}

// Action is where the form is sent.
func (v *view) Action() string {
	if v.File == "" {
		return "/"
	}
	return "/kept/" + url.PathEscape(v.File)
}

// readForm reads the fields of the form, and the request.
func readForm(r *http.Request) (*view, []byte) {
	value := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	v := &view{Env: value("env"), Format: value("format"), At: value("at"), Hosts: value("hosts"), Prefixes: value("prefixes"), Headers: value("headers"), Entry: value("entry")}
	if r.PostForm.Has("own-date") {
		v.At = ownDate
	}
	// Browsers send every line break of a text area as CR LF.
	unix := func(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
	v.Request, v.Canonical = unix(r.PostFormValue("request")), unix(r.PostFormValue("canonical"))
	data := []byte(v.Request)
	if in, _, err := r.FormFile("file"); err == nil {
		defer in.Close()
		if bytes, err := io.ReadAll(io.LimitReader(in, capture.MaxSize+1)); err == nil && len(bytes) > 0 {
			data, v.Request = bytes, ""
		}
	}
	return v, data
}

// ownDate is the text in the field Clock for the date that the request holds.
const ownDate = "the date it holds"

// question returns the question of the form.
func (v *view) question() question {
	q := question{env: v.Env, at: v.At, format: v.Format, canonical: v.Canonical, form: true,
		hosts: strings.Fields(v.Hosts), prefixes: strings.Fields(v.Prefixes)}
	if q.at == ownDate {
		q.at = "captured"
	}
	for line := range strings.Lines(v.Headers) {
		if line = strings.TrimSpace(line); line != "" {
			q.headers = append(q.headers, line)
		}
	}
	q.entry, _ = strconv.Atoi(v.Entry)
	return q
}
