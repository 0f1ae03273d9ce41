package config

import (
	"fmt"
	"strings"
)

// choices ends a problem with a name that does not exist: the name that was likely meant,
// and those that exist, behind an introduction such as "there are: ".
func choices(name, introduction string, known []string) string {
	const most = 30
	list := introduction + strings.Join(known[:min(most, len(known))], ", ")
	if more := len(known) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	if len(known) == 0 {
		list = "there is none"
	}
	if meant := nearest(name, known); meant != "" {
		return "did you mean " + meant + "? " + strings.ToUpper(list[:1]) + list[1:]
	}
	return list
}

// choices is that of a problem to add. It takes no time where the problem is dropped.
func (r *report) choices(name, introduction string, known []string) string {
	if len(r.problems) >= mostProblems {
		return ""
	}
	return choices(name, introduction, known)
}

// typeChoices is choices for a type of key: one with another name, or with the name of an
// algorithm, is no typing error of the type that looks like it.
func typeChoices(name string) string {
	list := "write one of " + strings.Join(KeyTypes(), ", ")
	meant, known := otherNames[strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(name))]
	switch {
	case !known:
		return choices(name, "write one of ", KeyTypes())
	case meant == "":
		return list
	}
	return "did you mean " + meant + "? W" + list[1:]
}

// typeChoices is that of a problem to add, as choices is.
func (r *report) typeChoices(name string) string {
	if len(r.problems) >= mostProblems {
		return ""
	}
	return typeChoices(name)
}

// otherNames are what types are called elsewhere, in lower case with dashes: the algorithms
// in credentials, services and vendors. One that stands for no type, or for several, has "".
var otherNames = map[string]string{
	"aws": "sigv4", "aws4": "sigv4", "awsv4": "sigv4", "aws-sigv4": "sigv4", "v4": "sigv4", "sig4": "sigv4",
	"sigv4-hmac": "sigv4", "sigv4-hmac-sha256": "sigv4", "aws4-hmac-sha256": "sigv4",
	"aws4a": "sigv4a", "v4a": "sigv4a", "sigv4-ecdsa": "sigv4a", "aws4-ecdsa-p256-sha256": "sigv4a",
	"sdk-hmac-sha256": "hmac, or aksk where the credential has a scope", "hmac-sha256": "hmac",
	"ak-sk": "aksk", "v11-hmac-sha256": "v11",
	"ecdsa": "ecdsa-p256", "p256": "ecdsa-p256", "sdk-ecdsa-p256-sha256": "ecdsa-p256",
	"sm3": "hmac-sm3", "sdk-hmac-sm3": "hmac-sm3", "sm2-sm3": "sm2", "sdk-sm2-sm3": "sm2",
	"aes-128": "aes", "aes-256": "aes", "aes-128-cfb": "aes", "aes-256-cfb": "aes", "aescfb": "aes",
	"password": "basic", "http-basic": "basic",
	"iam": "token", "keystone": "token", "x-auth-token": "token",
	"huawei": "", "apig": "", "app": "", "jwt": "", "bearer": "", "oauth": "", "oauth2": "", "rsa": "", "tls": "", "mtls": "",
}

// nearest returns the known name that differs from a name by the fewest edits, "" if none
// is near. Case, and dashes for underscores, count as no difference.
func nearest(name string, known []string) (meant string) {
	if len(name) > 128 {
		return "" // no typing error
	}
	plain := strings.NewReplacer("-", "_").Replace
	name = plain(strings.ToLower(name))
	least := 2 + len(name)/6
	for _, k := range known {
		if diff := len(k) - len(name); diff >= least || -diff >= least {
			continue
		}
		if d := edits(name, plain(strings.ToLower(k))); d < least && d < len(name) {
			meant, least = k, d
		}
	}
	return meant
}

// edits is the distance of Damerau and Levenshtein: how many bytes must be added, removed,
// replaced, or swapped with the next one.
func edits(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, replaced)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
