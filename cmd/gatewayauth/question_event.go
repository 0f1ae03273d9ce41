package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// An eventAnswer explains a refusal from its record in the log.
type eventAnswer struct {
	Code    string   `json:"code"`
	Meaning string   `json:"meaning"`
	Facts   []string `json:"facts,omitempty"`
	// Unknown says what the record does not show.
	Unknown string `json:"unknown"`
}

// meanings explains each code to the operator of the service.
var meanings = map[core.Code]string{
	core.CodeCredentialMissing:    "the request has no credential: it did not come through the gateway, the API has no signature key bound in the gateway, or a proxy removed the Authorization header",
	core.CodeCredentialMalformed:  "the credential cannot be parsed: it was truncated or changed, or it was not made by a signer of this scheme",
	core.CodeSchemeNotAccepted:    "this key, or every key of the environment, is for another scheme: compare the type of the key with the one in the gateway",
	core.CodeKeyUnknown:           "the credential names a key that is not in this environment",
	core.CodeSignatureMismatch:    "the request was changed after it was signed, or it was signed with another secret",
	core.CodeSignatureExpired:     "the signed date is too far in the past: clocks differ, or the request came late",
	core.CodeSignatureNotYetValid: "the signed date is in the future: clocks differ",
	core.CodeHeaderNotSigned:      "the request has a header that must be signed, and it is not signed: have the gateway sign it, or stop whatever adds it after signing",
	core.CodePayloadNotSigned:     "the body is not signed, and allow_unsigned_payload is not set",
	core.CodePayloadUnsupported:   "the body is signed in a way that is not supported, such as chunk by chunk",
	core.CodeBodyMismatch:         "the body does not have the digest that was signed, or it is incomplete",
	core.CodeReplayed:             "the same request was accepted before: it was sent again, by a retry or by an attacker",
	core.CodeThrottled:            "too many wrong passwords came from one address",
	core.CodeKeyNotBound:          "the signature is valid, but its key is not bound to this API",
	core.CodeHostNotOurs:          "the signature is valid, but for a host that hosts does not list: the request was for another service with the same key, or the host is missing in hosts",
	core.CodeRequestAmbiguous:     "a router and the verifier could interpret the request differently, or it exceeds a limit on headers or its target",
	core.CodeBodyTooLarge:         "the body is larger than max_body",
	core.CodeUnavailable:          "no verdict could be reached: error names what failed or was used up, or that refuse_before_start refuses what was signed before the start",
}

const unknownFromEvent = "A record of the log has no headers, query or body, so the signature cannot be checked: " +
	"the record does not show what was changed, or whether the secret is right. For that, keep the request itself: " +
	"with capture: {dir: FOLDER} in the environment, the service writes refused requests to files, and gatewayauth explain FOLDER explains them."

// askEvent explains a refusal from its record in the log.
func (q *question) askEvent(a *answer, e *capture.Event, file *config.File) error {
	a.At = e.Time
	x := &eventAnswer{Code: e.Code, Unknown: unknownFromEvent}
	a.Event = x
	fact := func(format string, args ...any) { x.Facts = append(x.Facts, printable(fmt.Sprintf(format, args...))) }
	if e.Code == "" {
		a.Verdict, x.Meaning = accepted, "the request was accepted"
		return nil
	}
	meaning, known := meanings[core.Code(e.Code)]
	if !known {
		return fmt.Errorf("the record has the code %q, which this version does not know", printable(e.Code))
	}
	x.Meaning = meaning
	if e.Environment != "" && e.Environment != q.env {
		fact("the record is from the environment %s, not from %s", e.Environment, q.env)
	}
	switch {
	case e.Mode == "report" && strings.Contains(e.Message, "request refused"):
		fact("the environment was in report mode: gatewayauth guard itself refused the request, as it does in every mode")
	case e.Mode == "report":
		fact("the environment was in report mode: the request reached the handler nevertheless")
	}
	for _, f := range []struct{ name, value string }{
		{"request", strings.TrimSpace(e.Method + " " + e.Host + e.Path)}, {"remote", e.Remote}, {"error", strings.TrimPrefix(e.Error, "gatewayauth: ")},
		{"header", e.Header}, {"key of the API at that time", e.APIKey}, {"size of the body", e.Size}, {"limit", e.Limit}, {"more about the code", e.Doc},
	} {
		if f.value != "" {
			fact("%s: %s", f.name, f.value)
		}
	}
	if core.Code(e.Code) != core.CodeSignatureMismatch {
		a.Advice = append(a.Advice, printable(sentence(cmp.Or(e.Hint, core.Code(e.Code).Hint()))))
	} else { // the hint is to explain the request, and there is none
		if e.Host != "" {
			a.Advice = append(a.Advice, "the host is what proxies change most often: compare "+printable(e.Host)+", as it arrived, with the host that the gateway calls")
		}
		a.Advice = append(a.Advice, "keep the request, with capture: {dir: FOLDER} in the environment "+printable(q.env)+", and explain the file that the service writes there")
	}
	policy, err := policyOf(file, q.env, nil)
	if err != nil {
		return err
	}
	bound := policy.Default
	for _, api := range policy.APIs {
		if api.Match == e.API {
			bound = api.Key
		}
	}
	if e.API != "" || bound != "" {
		fact("the API %s is bound to %s here", cmp.Or(e.API, "of the default"), cmp.Or(bound, "no key"))
	}
	a.Explained = slices.Contains(verdictSuffices, core.Code(e.Code))
	if e.Skew != 0 {
		allowed := policy.ClockSkew
		if allowed == 0 {
			allowed = 15 * time.Minute
		}
		side := "behind"
		if e.Skew < 0 {
			side = "ahead of"
		}
		fact("the signed date was %s %s the verifier's clock; %s is allowed", explain.DurationText(e.Skew.Abs()), side, explain.DurationText(allowed))
	}
	if e.KeyID != "" {
		for _, env := range holders(file, e.KeyID) {
			fact("the key id %s belongs to a key of %s", e.KeyID, env)
			a.Explained = a.Explained || core.Code(e.Code) == core.CodeKeyUnknown && !strings.HasPrefix(env, q.env+" ")
		}
	}
	return nil
}

// holders lists the keys with this id in all environments.
func holders(file *config.File, id string) (all []string) {
	for _, e := range file.Outlines() {
		for _, k := range e.Keys {
			if k.ID == id {
				all = append(all, e.Name+" ("+k.Name+")")
			}
		}
	}
	return all
}
