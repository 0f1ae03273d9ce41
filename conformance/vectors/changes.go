package main

import (
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// The changes of the tables.

func all(changes ...change) change {
	return func(d *draft) {
		for _, c := range changes {
			c(d)
		}
	}
}

func method(m string) change { return func(d *draft) { d.method = m } }

func target(t string) change { return func(d *draft) { d.target = t } }

func body(text string) change { return func(d *draft) { d.body = text } }

// announced sends another Content-Length than the body's.
func announced(length string) change { return func(d *draft) { d.length = length } }

func inChunks(size int) change { return func(d *draft) { d.chunk = size } }

// header adds lines; set replaces the lines of a header by one; without removes them.
func header(lines ...string) change {
	return func(d *draft) { d.lines = append(slices.Clone(d.lines), lines...) }
}

func set(line string) change {
	return func(d *draft) {
		name, _, _ := strings.Cut(line, ":")
		lines := slices.Clone(d.lines)
		i := slices.IndexFunc(lines, func(l string) bool { return is(l, name) })
		lines[i] = line
		d.lines = lines
	}
}

func without(name string) change {
	return func(d *draft) {
		d.lines = slices.DeleteFunc(slices.Clone(d.lines), func(l string) bool { return is(l, name) })
	}
}

func hostIs(host string) change { return set("Host: " + host) }

// reversed reverses the header lines after the first.
func reversed(d *draft) {
	d.lines = slices.Clone(d.lines)
	slices.Reverse(d.lines[1:])
}

// Changes of what the signer signs.

func with(key vectors.Key) change { return func(d *draft) { d.key = key } }

// withSecret signs with a secret that is not the key's current one.
func withSecret(secret string) change { return func(d *draft) { d.key.Secret = secret } }

func dated(date string) change { return func(d *draft) { d.date = date } }

func signs(names ...string) change { return func(d *draft) { d.extra = append(d.extra, names...) } }

// lists signs with this SignedHeaders list; relists changes the list after signing.
func lists(list string) change { return func(d *draft) { d.list, d.listed = list, true } }

func relists(list string) change {
	return func(d *draft) {
		replace("SignedHeaders="+d.list, "SignedHeaders="+list)(d)
		d.list = list
	}
}

// declares sets the header that declares the payload.
func declares(value string) change {
	return func(d *draft) { header(d.algorithm.digestHeader + ": " + value)(d) }
}

// declaresBody declares the digest of a text.
func declaresBody(text string) change {
	return func(d *draft) { declares(d.algorithm.hash(text))(d) }
}

func payloadLine(line string) change { return func(d *draft) { d.payload = line } }

func region(r string) change  { return func(d *draft) { d.region = r } }
func service(s string) change { return func(d *draft) { d.service = s } }
func day(text string) change  { return func(d *draft) { d.day = text } }
func end(text string) change  { return func(d *draft) { d.end = text } }

func sortsEncoded(d *draft) { d.byEncoded = true }

func presigned(seconds string) change {
	return func(d *draft) { d.presigned, d.expires = true, seconds }
}

// Changes of the credential after signing.

// replace changes text in the Authorization header.
func replace(old, replacement string) change {
	return func(d *draft) {
		if !strings.Contains(d.authorization, old) {
			panic("no " + old + " in " + d.authorization)
		}
		d.authorization = strings.Replace(d.authorization, old, replacement, 1)
	}
}

func authorization(value string) change { return func(d *draft) { d.authorization = value } }

// signature replaces the signature.
func signature(other func(d *draft) string) change {
	return func(d *draft) {
		made := d.signature
		d.signature = other(d)
		if d.presigned {
			d.parameters[parameterAt(d, "Signature")].value = d.signature
			return
		}
		replace("Signature="+made, "Signature="+d.signature)(d)
	}
}

// literally replaces the signature by one of another signer.
func literally(text string) change { return signature(func(*draft) string { return text }) }

// bitFlipped changes the lowest bit of the last digit.
func bitFlipped(d *draft) string {
	last := d.signature[len(d.signature)-1]
	flipped := strings.IndexByte("0123456789abcdef", last) ^ 1
	return d.signature[:len(d.signature)-1] + "0123456789abcdef"[flipped:flipped+1]
}

// Changes of the parameters of a credential in the query, by their name without the prefix.

func parameterAt(d *draft, name string) int {
	i := slices.IndexFunc(d.parameters, func(p parameter) bool { return p.name == d.algorithm.prefix+name || p.name == name })
	if i < 0 {
		panic("no parameter " + name)
	}
	return i
}

// parameterIs sets the encoded value of a parameter.
func parameterIs(name, value string) change {
	return func(d *draft) { d.parameters[parameterAt(d, name)].value = value }
}

func parameterNamed(name, other string) change {
	return func(d *draft) { d.parameters[parameterAt(d, name)].name = other }
}

func withoutParameter(name string) change {
	return func(d *draft) { i := parameterAt(d, name); d.parameters = slices.Delete(d.parameters, i, i+1) }
}

// parameterAdded adds a parameter at the end. Before signing, the parameter is signed.
func parameterAdded(name, value string) change {
	return func(d *draft) { d.parameters = append(d.parameters, parameter{name, value}) }
}

// parametersReversed puts the signature first.
func parametersReversed(d *draft) { slices.Reverse(d.parameters) }
