package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/gatewayauth/gatewayauth/core"
)

func (r *probeReport) print(out io.Writer, json bool) error {
	if json {
		return writeJSON(out, r)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "REQUEST\tANSWER\tRESULT\tWHAT WAS SENT")
	for _, x := range r.Requests {
		if x.Result == resultNotSent {
			continue
		}
		result := x.Result
		if result == resultAccepted && x.Name != honestName {
			result = "GOT IN"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Name, x.answer, result, printable(x.Sent))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if !r.unprotected {
		r.printRemarks(out)
	}
	if r.Advice != "" {
		paragraph(out, r.Advice)
	}
	return paragraph(out, r.Verdict+": "+r.Reason)
}

// printRemarks prints what the requests mean that were not refused, and why some were
// not sent.
func (r *probeReport) printRemarks(out io.Writer) {
	for _, x := range r.Requests {
		switch x.Result {
		case resultAccepted:
			if x.Name != honestName {
				paragraph(out, "GOT IN, "+x.Name+": "+x.Means+". The file refuses it: "+string(x.Code)+".")
			}
		case resultAllowed:
			text := "allowed, " + x.Name + ": " + x.Means + "."
			if x.Advice != "" {
				text += " " + strings.ToUpper(x.Advice[:1]) + x.Advice[1:] + "."
			}
			paragraph(out, text)
		case resultUnclear:
			if x.Reason != "" && x.Name != honestName {
				paragraph(out, "unclear, "+x.Name+": "+x.Reason+".")
			}
		}
	}
	var reasons []string
	names := map[string][]string{}
	for _, x := range r.Requests {
		if x.Result == resultNotSent {
			if names[x.Reason] == nil {
				reasons = append(reasons, x.Reason)
			}
			names[x.Reason] = append(names[x.Reason], x.Name)
		}
	}
	for _, reason := range reasons {
		paragraph(out, "not sent, "+strings.Join(names[reason], ", ")+": "+reason+".")
	}
}

// paragraph prints a text in lines of at most 80 characters, all but the first indented.
func paragraph(out io.Writer, text string) error {
	const width = 80
	line := ""
	for word := range strings.FieldsSeq(printable(text)) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			fmt.Fprintln(out, line)
			line = "  " + word
		default:
			line += " " + word
		}
	}
	_, err := fmt.Fprintln(out, line)
	return err
}

// printRequests prints the requests as they would be sent.
func (p *prober) printRequests(out io.Writer, json bool) error {
	type dry struct {
		Name    string    `json:"name"`
		Sent    string    `json:"sent"`
		Code    core.Code `json:"code,omitempty"`
		Reason  string    `json:"reason,omitempty"`
		Request string    `json:"request,omitempty"`
	}
	var all []dry
	for n, x := range p.probes {
		if n > 0 {
			p.make(n)
		}
		d := dry{x.name, x.what, x.code, x.skip, ""}
		if x.skip == "" {
			d.Request = requestText(x.request)
		}
		all = append(all, d)
	}
	if json {
		return writeJSON(out, map[string]any{"requests": all})
	}
	for _, d := range all {
		expected := "the file accepts it"
		switch {
		case d.Request == "":
			expected = "not sent: " + d.Reason
		case d.Code != "":
			expected = "the file refuses it: " + string(d.Code)
		}
		what := d.Name
		if d.Sent != "" {
			what += ", " + d.Sent
		}
		if _, err := fmt.Fprintf(out, "# %s\n# %s\n%s\n", printable(what), printable(expected), d.Request); err != nil {
			return err
		}
	}
	return nil
}

// requestText returns the head of a request.
func requestText(r *http.Request) string {
	var b strings.Builder
	version := "HTTP/1.1"
	if r.ProtoMajor == 2 {
		version = "HTTP/2"
	}
	fmt.Fprintf(&b, "%s %s %s\nHost: %s\n", r.Method, r.URL.RequestURI(), version, r.Host)
	eachHeader(r.Header, func(name, value string) { fmt.Fprintf(&b, "%s: %s\n", name, value) })
	if r.ContentLength > 0 {
		fmt.Fprintf(&b, "Content-Length: %d\n", r.ContentLength)
	}
	return b.String()
}
