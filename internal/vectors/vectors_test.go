package vectors_test

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

const good = `{"scheme":"hmac","keys":[{"name":"k","key":"AK","secret":"s"}],"vectors":[` +
	`{"name":"a","at":"2026-01-15T12:00:00Z","key":"k","request":"R0VU","code":"credential_missing"}]}`

// TestRead: files with missing, unknown or contradictory fields are errors.
func TestRead(t *testing.T) {
	if f, err := vectors.Read([]byte(good)); err != nil || len(f.Vectors) != 1 || string(f.Vectors[0].Request) != "GET" {
		t.Fatalf("got %+v, %v", f, err)
	}
	for name, change := range map[string][2]string{
		"no vectors":              {good[strings.Index(good, `"vectors":[`):], `"vectors":[]}`},
		"no keys":                 {`{"name":"k","key":"AK","secret":"s"}`, ""},
		"a key without a name":    {`"name":"k"`, `"name":""`},
		"unknown field of a file": {`"scheme"`, `"schema"`},
		"unknown field of a key":  {`"secret"`, `"sekret"`},
		"unknown field":           {`"at"`, `"expected":"x","at"`},
		"unknown field of policy": {`"at"`, `"policy":{"allow_everything":true},"at"`},
		"unknown code":            {"credential_missing", "credential_mising"},
		"unknown key":             {`"key":"k"`, `"key":"other"`},
		"no name":                 {`"name":"a"`, `"name":""`},
		"no instant":              {`"at":"2026-01-15T12:00:00Z",`, ""},
		"no request":              {`"R0VU"`, `""`},
		"not base64":              {`"R0VU"`, `"R0V"`},
		"accepted, no identity":   {"credential_missing", ""},
		"refused, and identity":   {`"at"`, `"identity":{"key":"k","covers":{}},"at"`},
		"no canonical request":    {`"at"`, `"string_to_sign":"x","at"`},
		"nothing sent before":     {`"at"`, `"before":{"request":"R0VU","times":0},"at"`},
		"a name twice":            {`[{"name":"a"`, good[strings.Index(good, `[{"name":"a"`):len(good)-2] + `,{"name":"a"`},
		"two JSON values":         {good, good + "{}"},
		"cut off":                 {good, good[:40]},
		"empty":                   {good, ""},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Errorf("%s: nothing was changed", name)
		}
		if _, err := vectors.Read([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLoad: a folder without files, and a file with the name of another scheme, are errors.
func TestLoad(t *testing.T) {
	for name, folder := range map[string]fstest.MapFS{
		"no folder":      {},
		"no file":        {"README.md": {Data: []byte("x")}},
		"another scheme": {"aksk.json": {Data: []byte(good)}},
		"a broken one":   {"hmac.json": {Data: []byte(good)}, "sm2.json": {Data: []byte("{}")}},
	} {
		if _, err := vectors.Load(folder); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if files, err := vectors.Load(fstest.MapFS{"hmac.json": {Data: []byte(good)}}); err != nil || len(files) != 1 {
		t.Errorf("got %v, %v", files, err)
	}
}

// The codes of every scheme, those of schemes that sign requests, and those of single
// schemes. They do not include unavailable for schemes without an identity service, and
// replayed, which needs a store.
var (
	everywhere = []core.Code{core.CodeCredentialMissing, core.CodeCredentialMalformed, core.CodeSchemeNotAccepted, core.CodeKeyUnknown,
		core.CodeSignatureMismatch, core.CodeHeaderNotSigned, core.CodeRequestAmbiguous, core.CodeBodyTooLarge}
	signing = append([]core.Code{core.CodeSignatureExpired, core.CodeSignatureNotYetValid, core.CodePayloadNotSigned,
		core.CodePayloadUnsupported, core.CodeBodyMismatch, core.CodeKeyNotBound}, everywhere...)
	codes = map[string][]core.Code{
		"hmac": signing, "aksk": signing, "v11": signing, "hmac-sm3": signing, "ecdsa-p256": signing, "sm2": signing, "aes": signing,
		"sigv4": signing, "sigv4a": signing,
		"basic": append([]core.Code{core.CodeThrottled, core.CodeKeyNotBound}, everywhere...),
		"token": append([]core.Code{core.CodeUnavailable}, everywhere...),
	}
	queryForm = map[string]bool{"hmac": true, "aksk": true, "sigv4": true, "sigv4a": true}
)

// TestPublished: every scheme has a file with every code that the scheme can return, at
// least as many refused requests as accepted ones, and credentials in the header and in
// the query.
func TestPublished(t *testing.T) {
	files, err := vectors.Load(os.DirFS("../../core/testdata/vectors"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.Scheme] = true
		found, presigned := map[core.Code]int{}, map[bool]int{}
		for _, v := range f.Vectors {
			found[v.Code]++
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(v.Request)))
			if err != nil {
				t.Errorf("%s: %s: %v", f.Scheme, v.Name, err)
				continue
			}
			if strings.Contains(r.RequestURI, "-Signature=") && r.Header.Get("Authorization") == "" {
				presigned[v.Code == ""]++
			}
		}
		refused := len(f.Vectors) - found[""]
		t.Logf("%s: %d accepted, %d refused", f.Scheme, found[""], refused)
		if found[""] == 0 || refused < found[""] {
			t.Errorf("%s: %d accepted, %d refused", f.Scheme, found[""], refused)
		}
		if queryForm[f.Scheme] && (presigned[true] == 0 || presigned[false] < presigned[true]) {
			t.Errorf("%s: with the credential in the query, %d accepted, %d refused", f.Scheme, presigned[true], presigned[false])
		}
		for _, code := range codes[f.Scheme] {
			if found[code] == 0 {
				t.Errorf("%s: no vector is refused with %s", f.Scheme, code)
			}
			delete(found, code)
		}
		if delete(found, ""); len(found) > 0 {
			t.Errorf("%s: codes that this test does not expect: %v", f.Scheme, found)
		}
	}
	for scheme := range codes {
		if !seen[scheme] {
			t.Errorf("%s: no file", scheme)
		}
	}
}

// TestFormatIsDocumented: the README describes every field.
func TestFormatIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../core/testdata/vectors/README.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := 0
	var check func(reflect.Type)
	check = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			named := regexp.MustCompile("`([a-z_]+\\.)?" + name + "`")
			if fields++; name == "" || !named.Match(text) {
				t.Errorf("%v: the README does not have the field %q", of, name)
			}
			check(of.Field(i).Type)
		}
	}
	check(reflect.TypeFor[vectors.File]())
	if fields < 40 {
		t.Errorf("only %d fields were seen", fields)
	}
}

// TestIdentityServiceOfVectors: missing and unexpected requests to the identity service
// are errors.
func TestIdentityServiceOfVectors(t *testing.T) {
	answer := &vectors.Answer{Status: 404}
	for name, service := range map[string]*vectors.IdentityService{
		"called and not described": nil,
		"described and not called": {Login: answer, Check: answer, Token: "t"},
	} {
		f := &vectors.File{Scheme: "token", Keys: []vectors.Key{{Name: "k", User: "u", Password: "p", Domain: "d", Project: "p"}}}
		judge, err := f.Judge(&vectors.Vector{Key: "k", IdentityService: service}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest("GET", "http://api.example.com/", nil)
		if service == nil {
			r.Header.Set("X-Auth-Token", "t")
		}
		judge.Verify(r)
		if err := judge.Close(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := (&vectors.File{Scheme: "none"}).Judge(&vectors.Vector{}, nil); err == nil {
		t.Error("no error for an unknown scheme")
	}
}
