package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/summary"
	"github.com/gatewayauth/gatewayauth/core"
)

// The results of a request.
const (
	resultRefused  = "refused"
	resultAccepted = "accepted" // it got in; for the honest request, that is right
	resultAllowed  = "allowed"  // accepted, and the file accepts it too
	resultUnclear  = "unclear"
	resultNotSent  = "not sent"
)

// The verdicts of a probe.
const (
	verdictProtected = "protected"
	verdictGotIn     = "not protected"
	verdictUnknown   = "unknown"
)

// probeReport is the result of a probe.
type probeReport struct {
	URL         string `json:"url"`
	Environment string `json:"environment"`
	Key         string `json:"key"`
	Type        string `json:"type"`
	// Verdict is protected, not protected or unknown, and Reason says why.
	Verdict  string     `json:"verdict"`
	Reason   string     `json:"reason"`
	Advice   string     `json:"advice,omitempty"`
	Requests []probeRow `json:"requests"` // the first is the honest one

	unprotected bool // nothing was refused
}

// probeRow is one request of the report.
type probeRow struct {
	Name   string `json:"name"`
	Sent   string `json:"sent"`             // what is special about it
	Status int    `json:"status,omitempty"` // of the response; absent if there was none
	GRPC   *int   `json:"grpc_status,omitempty"`
	// Result is refused, accepted, allowed, unclear or not sent.
	Result string `json:"result"`
	// Code is the code with which the file refuses the request; absent if it does not.
	Code   core.Code `json:"code,omitempty"`
	Reason string    `json:"reason,omitempty"` // why it is unclear or was not sent
	Means  string    `json:"means,omitempty"`  // if it was accepted
	Advice string    `json:"advice,omitempty"`

	answer string // for the table
}

// report judges the responses.
func (p *prober) report(target string) *probeReport {
	r := &probeReport{URL: target, Environment: p.env, Key: p.key.Name, Type: p.key.Type}
	honest := &p.probes[0].answer
	if why := honest.unusable(); why != "" {
		r.Verdict, r.Reason, r.Advice = verdictUnknown, "the honest request "+why, adviceOnHonest(honest)
		row := p.probes[0].row(honest)
		row.Result, row.Reason, row.Means = resultUnclear, why, ""
		if honest.refused() {
			row.Result = resultRefused
		}
		r.Requests = []probeRow{row}
		return r
	}
	count := map[string]int{}
	for _, x := range p.probes {
		row := x.row(honest)
		r.Requests = append(r.Requests, row)
		count[row.Result]++
	}
	r.Requests[0].Means, r.Requests[0].Advice = "", ""
	in := count[resultAccepted] - 1
	sent := in + count[resultRefused] + count[resultUnclear]
	switch {
	case in > 0 && in == sent && honest.failed():
		r.Verdict, r.Reason = verdictUnknown, "all requests, also the honest one, got the response "+honest.text()
		r.Advice = "The request may not have reached the middleware. Give the URL of a route that the service has, and that succeeds."
	case in > 0 && in == sent:
		r.unprotected = true
		r.Verdict, r.Reason = verdictGotIn, every(in, "got in", "got in")+", so nothing verifies requests to this URL"
		r.Advice = "Put the middleware in front of this route. If it is there already, the service runs in mode report or off."
		if p.policy.Mode != core.Enforce {
			r.Advice = fmt.Sprintf("The environment has mode: %v, in which every request is accepted. Set mode: enforce.", p.policy.Mode)
		}
	case in > 0:
		r.Verdict, r.Reason = verdictGotIn, fmt.Sprintf("%d of %s that the file refuses got in", in, summary.Counted(sent, "request", "requests"))
		r.Advice = "Check that the service runs with this file and this environment. If a proxy is in front of it, probe the service itself."
	case count[resultUnclear] > 0:
		r.Verdict, r.Reason = verdictUnknown, fmt.Sprintf("%d of %s got a response that is neither that of the honest request nor a refusal", count[resultUnclear], summary.Counted(sent, "request", "requests"))
		r.Advice = "Probe the service itself, without a proxy in front of it, and look for the requests in its log."
	case sent == 0:
		r.Verdict, r.Reason = verdictUnknown, "the file refuses none of the requests"
	case p.last != nil && p.last.answer.unusable() != "":
		r.Verdict, r.Reason = verdictUnknown, "all requests were refused, but so was the honest one in the end: it "+p.last.answer.unusable()
		r.Advice = "Something else than the verifier may refuse them, such as a limit of requests or the handler itself. Give the URL of a route that accepts a request any number of times."
	default:
		r.Verdict, r.Reason = verdictProtected, every(sent, "was refused", "were refused")
	}
	return r
}

// every begins a sentence about all n requests that the file refuses.
func every(n int, one, other string) string {
	if n == 1 {
		return "the only request that the file refuses " + one
	}
	return fmt.Sprintf("all %d requests that the file refuses %s", n, other)
}

func adviceOnHonest(a *probeAnswer) string {
	switch {
	case a.reason != "":
		return "Check that the service runs and that the URL is right."
	case !a.refused() && a.status >= 300 && a.status < 400:
		return "Give a URL that the service answers itself, such as one with https or with a slash at its end."
	case !a.refused():
		return "Probe again when the service is available."
	}
	text := "The file accepts this request, so the service has another file, environment or clock, a proxy changes the request, or the handler itself refuses it. The log of the service has the code."
	if body := strings.Join(strings.Fields(a.body), " "); body != "" {
		text += " It responded: " + body
	}
	return text
}

func (x *probe) row(honest *probeAnswer) probeRow {
	r := probeRow{Name: x.name, Sent: x.what, Status: x.answer.status, Code: x.code, answer: x.answer.text()}
	if x.skip != "" {
		r.Result, r.Reason = resultNotSent, x.skip
		return r
	}
	if x.answer.grpc >= 0 {
		r.GRPC = &x.answer.grpc
	}
	switch {
	case x.answer.refused():
		r.Result = resultRefused
	case x.code == "" && x.name != honestName:
		r.Result, r.Means = resultAllowed, x.means
		if x.field != "" {
			r.Advice = "it would be refused " + x.field
		}
	case x.answer.like(honest) || x.answer.status == http.StatusContinue:
		r.Result, r.Means = resultAccepted, x.means
	default:
		r.Result, r.Reason = resultUnclear, x.answer.reason
	}
	return r
}

// wrong reports whether the file refuses the request and the service has not.
func (x *probe) wrong() bool { return x.skip == "" && x.code != "" && !x.answer.refused() }

func (r *probeReport) exitCode() int {
	switch r.Verdict {
	case verdictProtected:
		return exitProtected
	case verdictGotIn:
		return exitGotIn
	}
	return exitUnknown
}
