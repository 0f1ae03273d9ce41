package explain

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

// fixed keeps the secrets of a fixed set of keys out of the report.
func (s *search) fixed(source core.KeySource) {
	for _, key := range all(source) {
		s.hideKey(key)
	}
}

// all returns the keys of a fixed set, and none for another source.
func all(source core.KeySource) []*core.Key {
	if set, ok := source.(*core.KeySet); ok && set != nil {
		return slices.Collect(set.All())
	}
	return nil
}

// keyEdit returns an edit that replaces the key.
func keyEdit(cause Cause, to, detail string, key *core.Key) edit {
	c := newEdit("key", cause, to, detail, func(h *hypothesis) { h.key = key })
	c.id += "\n" + key.ID + "\n" + key.Secret.Reveal() // several keys may have the same text
	return c
}

// named returns the key that the credential names, or nil if there is none.
func (s *search) named() *core.Key {
	if s.scheme == nil {
		return nil
	}
	return s.key(s.scheme, s.credential.KeyID)
}

// oldSecrets yields the previous secrets of the key that are no longer accepted.
func (s *search) oldSecrets() (edits []edit) {
	key := s.named()
	if key == nil {
		return nil
	}
	for _, previous := range key.Previous {
		if !previous.Until.IsZero() && !s.now.Before(previous.Until) {
			until := date(previous.Until)
			edits = append(edits, keyEdit(CauseOldSecret, "with the previous secret of "+key.Name+", accepted until "+until,
				"the sender still signs with a previous secret of "+key.Name+", which is not accepted since "+until+": give the sender the current secret, or accept the previous one for longer",
				with(key, previous.Secret)))
		}
	}
	return edits
}

// mostKeys is the largest number of keys that one function of the table edits tries.
const mostKeys = 200

// otherEnvironments yields the keys of other environments: those with the id that the
// credential names, and all others as if they had that id.
func (s *search) otherEnvironments() (edits []edit) {
	for _, other := range s.others {
		for _, scheme := range other.policy.Schemes {
			header := other.policy.CredentialHeader
			_, c, err := s.parse(s.request(&s.base), &hypothesis{scheme: scheme, credentialHeader: header})
			if err != nil {
				continue
			}
			named := s.key(scheme, c.KeyID)
			for _, key := range append([]*core.Key{named}, all(scheme.Keys())...) {
				if key == nil || key != named && named != nil && key.ID == named.ID || len(edits) >= mostKeys {
					continue
				}
				under := ""
				if key != named {
					under = ", with the id of another key"
				}
				for which, same := range s.secretsOf(key, c.KeyID) {
					f := keyEdit(CauseEnvironment, "with "+which+" of the key "+key.Name+" of the environment "+other.name,
						"signed with "+which+" of the key "+key.Name+" of the environment "+other.name+under+": send the request to that environment, or give the sender a key of this one", same)
					f.apply = func(h *hypothesis) { h.scheme, h.key, h.credentialHeader = scheme, same, header }
					edits = append(edits, f)
				}
			}
		}
	}
	return edits
}

// otherKeys yields the secrets of the other keys of this environment.
func (s *search) otherKeys() (edits []edit) {
	if s.credential == nil {
		return nil
	}
	detail := ", with the id of another key: make the sender use the id and the secret of the same key"
	if s.named() == nil {
		detail = ", with an id that this environment does not have: configure the same id on both sides"
	}
	for _, scheme := range s.policy.Schemes {
		for _, key := range all(scheme.Keys()) {
			if key.ID == s.credential.KeyID || len(edits) >= mostKeys {
				continue
			}
			for which, same := range s.secretsOf(key, s.credential.KeyID) {
				edits = append(edits, keyEdit(CauseOtherKey, "with "+which+" of the key "+key.Name, "signed with "+which+" of the key "+key.Name+detail, same))
			}
		}
	}
	return edits
}

// secretsOf yields a key once for each of its secrets, those that are no longer accepted
// included. If id is the id of another key of this environment, the key that it yields has
// all fields of that one except secret and name.
func (s *search) secretsOf(key *core.Key, id string) iter.Seq2[string, *core.Key] {
	key = s.detached(key)
	under := *key
	if own := s.named(); own != nil && key.ID != id {
		under = *own
	}
	under.ID, under.Name = cmp.Or(id, key.ID), key.Name
	return func(yield func(string, *core.Key) bool) {
		if !yield("the secret", with(&under, key.Secret)) {
			return
		}
		for _, p := range key.Previous {
			if !yield("a previous secret", with(&under, p.Secret)) {
				return
			}
		}
	}
}

// scopes yields the key for any region and service, and with any session token.
func (s *search) scopes() (edits []edit) {
	c, key := s.credential, s.named()
	if key == nil || !c.SignsRequest {
		return nil
	}
	region := c.Region
	if region == "" {
		region = key.Region
	}
	edits = append(edits,
		newEdit("scope", CauseScope, "region "+region+" and service "+c.Service+" instead of "+key.Region+" and "+key.Service,
			"the secret is right, and the credential has another region or service than the key: configure the same ones on both sides",
			func(h *hypothesis) { h.anyScope = true }))
	if !equal(c.SessionToken, key.SessionToken.Reveal()) {
		edits = append(edits, sessionToken(c, key))
	}
	return edits
}

// sessionToken yields the key with the session token of the credential.
func sessionToken(c *core.Credential, key *core.Key) edit {
	to, detail := "another session token", "the secret is right, but the session token of the request is not that of the key "+key.Name+": configure the same one on both sides"
	switch {
	case key.SessionToken.IsZero():
		to, detail = "with a session token", "the secret is right, but the request has a session token and the key "+key.Name+" has none: add the session token to the key, or make the sender sign without one"
	case c.SessionToken == "":
		to, detail = "without a session token", "the secret is right, but the request has no signed session token and the key "+key.Name+" has one: make the sender send and sign it, or remove it from the key"
	}
	return newEdit("token", CauseSessionToken, to, detail, func(h *hypothesis) { h.anyToken = true })
}

// otherSchemes yields the other schemes that read the credential, with the keys of
// this environment.
func (s *search) otherSchemes() (edits []edit) {
	schemes := append([]core.Scheme(nil), s.hints.Schemes...)
	schemes = append(schemes, s.policy.Schemes...)
	for _, other := range s.others {
		schemes = append(schemes, other.policy.Schemes...)
	}
	for _, scheme := range schemes {
		if scheme == nil {
			continue
		}
		_, c, err := s.parse(s.request(&s.base), &hypothesis{scheme: scheme})
		if err != nil || !c.SignsRequest {
			continue
		}
		for _, own := range s.policy.Schemes {
			if own == scheme {
				continue
			}
			key := s.key(own, c.KeyID)
			if key == nil {
				continue
			}
			f := keyEdit(CauseScheme, "by the scheme "+scheme.Name()+" with the key "+key.Name,
				"signed with the right secret by the scheme "+scheme.Name()+", or another variant of it, and the key is for "+own.Name()+": configure the same scheme on both sides", key)
			f.dimension = "scheme"
			f.apply = func(h *hypothesis) { h.scheme, h.key, h.anyScope = scheme, key, key.Region == "" || c.Scope == "" }
			edits = append(edits, f)
		}
	}
	return edits
}

// secretTexts yields the secret as it becomes if it is copied or decoded wrongly.
func (s *search) secretTexts() (edits []edit) {
	key := s.named()
	if key == nil {
		return nil
	}
	text := key.Secret.Reveal()
	seen := map[string]bool{text: true, "": true}
	add := func(how, other string) {
		if !seen[other] {
			seen[other] = true
			edits = append(edits, keyEdit(CauseSecretText, "with the secret of "+key.Name+" "+how,
				"the sender signs with the secret of "+key.Name+" "+how+": configure the same text on both sides", with(key, core.NewSecret(other))))
		}
	}
	add("without spaces and line breaks at its start and end", strings.TrimSpace(text))
	for _, end := range []source{{"\n", "a line break"}, {"\r\n", "a Windows line break (CR LF)"}, {" ", "a space"}, {"\r", "a carriage return"}} {
		add("with "+end.where+" at its end", text+end.value)
		add("with "+end.where+" at its end", strings.TrimSpace(text)+end.value)
	}
	add("with a space in front", " "+text)
	add("in quotes", `"`+text+`"`)
	add("in quotes", `'`+text+`'`)
	add("without its quotes", strings.Trim(text, `"'`))
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if plain, err := encoding.DecodeString(strings.TrimSpace(text)); err == nil {
			add("decoded from base64", string(plain))
		}
		add("encoded in base64", encoding.EncodeToString([]byte(text)))
	}
	add("encoded in base64, with a line break", base64.StdEncoding.EncodeToString([]byte(text+"\n")))
	if plain, err := hex.DecodeString(strings.TrimSpace(text)); err == nil {
		add("decoded from hexadecimal digits", string(plain))
	}
	add("encoded in hexadecimal digits", hex.EncodeToString([]byte(text)))
	add("with percent sequences decoded", unescaped(text))
	add("with percent sequences", url.QueryEscape(text))
	add("in upper case", strings.ToUpper(text))
	add("in lower case", strings.ToLower(text))
	add("replaced by the key's id", key.ID)
	return edits
}

func unescaped(text string) string {
	plain, _ := url.PathUnescape(text)
	return plain
}
