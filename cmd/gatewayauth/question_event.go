package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatewayauth/gatewayauth/cmd/gatewayauth/internal/capture"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/explain"
)

// An eventAnswer is what a record of the log tells.
type eventAnswer struct {
	Code    string   `json:"code"`
	Meaning string   `json:"meaning"`
	Facts   []string `json:"facts,omitempty"`
	// Unknown says what the record cannot tell.
	Unknown string `json:"unknown"`
}

// meanings say what each code means for the one who runs the service, where
// nothing more than the code is known.
var meanings = map[core.Code]string{
	core.CodeCredentialMissing:    "the request carried no credential: it did not come through the gateway, the API has no signature key bound in the gateway, or a proxy took the header Authorization away",
	core.CodeCredentialMalformed:  "the credential cannot be read: it was cut, rewritten, or made by something that is no signer of this kind",
	core.CodeSchemeNotAccepted:    "the credential is of a scheme that no key here, or not this key, is for: compare the type of the key with that in the gateway",
	core.CodeKeyUnknown:           "the credential names a key that is not in this environment",
	core.CodeSignatureMismatch:    "the request was changed after it was signed, or the secret is another",
	core.CodeSignatureExpired:     "the signed date is too far in the past: clocks differ, or the request came late",
	core.CodeSignatureNotYetValid: "the signed date is in the future: clocks differ",
	core.CodeHeaderNotSigned:      "a header that must be signed was there and was not signed: let the gateway sign it, or keep what adds it out of the way",
	core.CodePayloadNotSigned:     "the body is declared unsigned, and that is not allowed here",
	core.CodePayloadUnsupported:   "the body is signed in a form that is not supported, such as chunk by chunk",
	core.CodeBodyMismatch:         "the body is not the one whose digest was signed, or broke off",
	core.CodeReplayed:             "the same request was accepted before: it was sent again, by a retry or by somebody else",
	core.CodeThrottled:            "too many wrong passwords came from one address",
	core.CodeKeyNotBound:          "rightly signed, with a key that is not bound to this API",
	core.CodeHostNotOurs:          "rightly signed, for a host that hosts does not list: it was meant for another service that has the same key, or hosts lacks it",
	core.CodeRequestAmbiguous:     "a router and the verifier could read the request differently, or it exceeds a limit of form",
	core.CodeBodyTooLarge:         "the body is larger than max_body",
	core.CodeUnavailable:          "no verdict could be reached: a key source or replay store failed, or max_buffered was used up",
}

const unknownFromEvent = "A record of the log holds neither headers nor query nor body, so no signature can be checked from it: " +
	"what was changed on the way, and whether the secret is right, it cannot tell. Save the request itself as the backend receives it."

// askEvent says what is known of a refusal from its record alone.
func (q *question) askEvent(a *answer, e *capture.Event, file *config.File) error {
	a.At = e.Time
	x := &eventAnswer{Code: e.Code, Unknown: unknownFromEvent}
	a.Event = x
	fact := func(format string, args ...any) { x.Facts = append(x.Facts, printable(fmt.Sprintf(format, args...))) }
	if e.Code == "" {
		a.Verdict, x.Meaning = accepted, "the request was let in"
		return nil
	}
	meaning, known := meanings[core.Code(e.Code)]
	if !known {
		return fmt.Errorf("the record has the code %q, which is none of this verifier's", printable(e.Code))
	}
	x.Meaning = meaning
	if e.Environment != "" && e.Environment != q.env {
		fact("the record is of the environment %s, and %s was asked about", e.Environment, q.env)
	}
	if e.Mode == "report" {
		fact("the environment was in report mode: the request was let through all the same")
	}
	if e.Error != "" {
		fact("in words: %s", strings.TrimPrefix(e.Error, "gatewayauth: "))
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
		fact("the API %s is bound to %s here", orElse(e.API, "of the default"), orElse(bound, "no key"))
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
			fact("the id %s is that of a key of %s", e.KeyID, env)
			a.Explained = a.Explained || core.Code(e.Code) == core.CodeKeyUnknown && !strings.HasPrefix(env, q.env+" ")
		}
	}
	return nil
}

// holders lists the keys with an id, over all environments.
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

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
