package reference_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/conformance/reference"
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// notModelled are the codes of vectors whose verdict depends on more than one request, or on
// what an identity service answers.
var notModelled = []core.Code{core.CodeThrottled, core.CodeUnavailable}

// byPolicy are the codes that policies alone give: the protocol accepts the message.
var byPolicy = []core.Code{core.CodeKeyNotBound, core.CodePayloadNotSigned}

// settings are those of a vector.
func settings(f *vectors.File, v *vectors.Vector) reference.Settings {
	s := reference.Settings{Now: v.At, Bound: "no key is bound"}
	var policy vectors.Policy
	if v.Policy != nil {
		policy = *v.Policy
	}
	s.Skew, s.MaxBody = time.Duration(policy.ClockSkew)*time.Second, policy.MaxBody
	s.RequireSigned = policy.RequireSigned
	s.AllowPresigned, s.AllowUnsignedPayload = policy.AllowPresigned, policy.AllowUnsignedPayload
	if policy.Rewrite != nil {
		s.AddPrefix, s.Host = policy.Rewrite.AddPrefix, policy.Rewrite.Host
	}
	for _, k := range f.Keys {
		key := reference.Key{ID: k.Key, Type: f.Scheme, Secrets: []string{k.Secret}, Options: map[string]string{
			"region": k.Region, "service": k.Service, "paths": k.Paths, "session_token": k.SessionToken,
		}}
		if policy.AllowRegionWildcards {
			key.Options["allow_region_wildcards"] = "true"
		}
		switch f.Scheme {
		case "aes":
			key.ID, key.Secrets = k.Name, []string{k.Key + k.Secret}
		case "token":
			key.ID, key.Secrets = k.Name, nil
			if v.IdentityService != nil && v.Code == "" {
				key.Secrets = []string{v.IdentityService.Token}
			}
		}
		for _, previous := range k.Previous {
			if v.At.Before(previous.Until) {
				key.Secrets = append(key.Secrets, previous.Key+previous.Secret)
			}
		}
		s.Keys = append(s.Keys, key)
		if k.Name == v.Key {
			s.Bound = key.ID
		}
	}
	return s
}

// TestVectors judges the published test vectors: each that is accepted is valid and meets every
// policy, and covers the same; each that is refused is not valid, or breaks a policy.
func TestVectors(t *testing.T) {
	files, err := vectors.Load(os.DirFS("../../core/testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	accepted, refused := 0, 0
	for _, f := range files {
		for i := range f.Vectors {
			v := &f.Vectors[i]
			if slices.Contains(notModelled, v.Code) {
				continue
			}
			t.Run(f.Scheme+"/"+v.Name, func(t *testing.T) {
				got := reference.Judge(v.Request, settings(f, v))
				if v.Code == "" {
					accepted++
					checkAccepted(t, v, got)
					return
				}
				refused++
				if got.Valid && len(got.Policies) == 0 {
					t.Errorf("accepted, want %s", v.Code)
				}
				if slices.Contains(byPolicy, v.Code) && (!got.Valid || len(got.Policies) != 1) {
					t.Errorf("got %q, policies %q; want one policy alone to refuse it", got.Why, got.Policies)
				}
				checkTexts(t, v, got)
			})
		}
	}
	if accepted < 400 || refused < 900 {
		t.Errorf("judged %d accepted and %d refused vectors: too few", accepted, refused)
	}
	t.Logf("%d accepted, %d refused", accepted, refused)
}

func checkAccepted(t *testing.T, v *vectors.Vector, got reference.Verdict) {
	t.Helper()
	if !got.Valid || len(got.Policies) > 0 {
		t.Errorf("got %q, policies %q; want it accepted", got.Why, got.Policies)
	}
	if got.KeyID != v.Identity.KeyID || got.Scheme != v.Identity.Algorithm {
		t.Errorf("key %q of scheme %q, want %q of %q", got.KeyID, got.Scheme, v.Identity.KeyID, v.Identity.Algorithm)
	}
	if !slices.Equal(got.Signed, v.Identity.Covers.Headers) || got.Body != v.Identity.Covers.Body {
		t.Errorf("covers %q and the body: %t; want %q and %t", got.Signed, got.Body, v.Identity.Covers.Headers, v.Identity.Covers.Body)
	}
	checkTexts(t, v, got)
}

// checkTexts compares the canonical request and the string to sign, where the vector has them.
func checkTexts(t *testing.T, v *vectors.Vector, got reference.Verdict) {
	t.Helper()
	if v.CanonicalRequest == "" {
		return
	}
	if got.CanonicalRequest != v.CanonicalRequest {
		t.Errorf("canonical request\n%s\nwant\n%s", got.CanonicalRequest, v.CanonicalRequest)
	}
	if got.StringToSign != v.StringToSign {
		t.Errorf("string to sign\n%s\nwant\n%s", got.StringToSign, v.StringToSign)
	}
}
