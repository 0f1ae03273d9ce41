package config

import (
	"crypto/rand"
	"fmt"
	"maps"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
)

// build makes a key of an entry, without secrets if find is nil.
func (k *keyEntry) build(find *secretFinder) key {
	built := key{name: k.name, texts: k.texts, flags: k.flags, secrets: find.all(k.secrets)}
	for _, p := range k.previous {
		built.previous = append(built.previous, previous{find.all(p.secrets), p.until})
	}
	return built
}

// standIn returns the key with a random value for every secret that is missing, so
// that core can check the rest of the configuration and no request verifies with it.
func (t *keyType) standIn(built key) key {
	fill := func(secrets map[string]core.Secret) map[string]core.Secret {
		secrets = maps.Clone(secrets)
		for _, f := range t.fields {
			if s, there := secrets[f.name]; there && s.IsZero() {
				text := rand.Text() + rand.Text()
				if f.length != nil {
					text = text[:f.length(built)]
				}
				secrets[f.name] = core.NewSecret(text)
			}
		}
		return secrets
	}
	built.secrets = fill(built.secrets)
	built.previous = each(built.previous, func(p previous) previous { return previous{fill(p.secrets), p.until} })
	return built
}

// judge has the scheme judge a key of a known type by itself, so that its rules
// stand in one place, and gives its verdicts their lines: those about secrets,
// or those about everything else, which can be had before secrets are found.
func (k *keyEntry) judge(built key, aboutSecrets bool, r *report) {
	at := k.fieldsAt(built, aboutSecrets)
	if len(at) == 0 {
		return
	}
	scheme, ok := k.typ.scheme([]key{built}, time.Now).(core.Validator)
	if !ok {
		return
	}
	for _, problem := range problemsOf(nil, scheme.Validate()) {
		m, found := at[problem.Field]
		if !found {
			continue
		}
		rule := problem.Rule
		k.values(built, func(f keyField, at mark, value string) {
			if at == m {
				rule += hint(value, f.manner)
			}
		})
		r.add(m, rule)
	}
}

// fieldsAt tells where the fields of the scheme's key stand. What is empty or absent
// is left out: it was reported before.
func (k *keyEntry) fieldsAt(built key, resolved bool) map[string]mark {
	at := map[string]mark{}
	for _, f := range k.typ.fields {
		switch {
		case f.schemeField == "" || resolved != (f.kind == hidden):
		case !resolved:
			if built.texts[f.name] != "" {
				at[f.schemeField] = k.at[f.name]
			}
		default:
			if !built.secrets[f.name].IsZero() {
				at[f.schemeField] = k.secrets[f.name].mark
			}
			for i, p := range built.previous {
				if !p.secrets[f.name].IsZero() {
					at[fmt.Sprintf("Previous[%d].%s", i, f.schemeField)] = k.previous[i].secrets[f.name].mark
				}
			}
		}
	}
	return at
}

// values calls do with every text and every secret of a key of a known type.
func (k *keyEntry) values(built key, do func(f keyField, at mark, value string)) {
	for _, f := range k.typ.fields {
		do(f, k.at[f.name], built.texts[f.name])
		do(f, k.secrets[f.name].mark, built.secrets[f.name].Reveal())
		for i, p := range built.previous {
			do(f, k.previous[i].secrets[f.name].mark, p.secrets[f.name].Reveal())
		}
	}
}

// warn reports values that are likely not what was meant, and those that the
// gateway would not have let anyone enter.
func (k *keyEntry) warn(built key, r *report) {
	nameLimit.warn(k.at["name"], k.name, r)
	k.values(built, func(f keyField, at mark, value string) {
		if !r.warnOdd(at, value, f.manner) {
			f.limit.warn(at, value, r)
		}
	})
}

// warn reports what is likely to be a mistake in the fields that are not a key's.
func (e *environment) warn(r *report) {
	if e.replay != nil {
		r.warnOdd(e.replay.server.mark, e.store.url.Reveal(), address)
	}
	for _, a := range e.apis {
		warnMethod(a.at["match"], a.method(), r)
		a.warn(e.policy.Rewrite.AddPrefix, r)
	}
	for i, method := range e.policy.Replay.ExemptMethods {
		warnMethod(e.replay.exempt[i], method, r)
	}
}

// placeholder stands for the replay store that the environment asks for.
func (e *environment) placeholder() core.ReplayStore {
	if e.replay == nil {
		return nil
	}
	return absent{}
}
