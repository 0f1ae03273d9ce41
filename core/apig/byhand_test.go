package apig_test

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// What a holder of the key signs by hand, by docs/protocols.md,
// sharing nothing with the package: odd forms that are rightly signed.

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return string(h.Sum(nil))
}

// chain derives the key of a scope.
func chain(prefix, date, region, service, terminator string) string {
	return mac(mac(mac(mac(prefix+keySecret, date), region), service), terminator)
}

// v11Key derives the key of V11-HMAC-SHA256.
func v11Key(info string) string {
	key, err := hkdf.Key(sha256.New, []byte(keySecret), []byte(keyID), info, 32)
	if err != nil {
		panic(err) // of constants
	}
	return hex.EncodeToString(key)
}

// sign returns the signature of GET /v1/items with a query in canonical form
// and the given lines of headers.
func sign(key, algorithm, date, scope, query, headers, list string) string {
	request := "GET\n/v1/items/\n" + query + "\n" + headers + "\n" + list + "\n" + digest("")
	lines := []string{algorithm, date}
	if scope != "" {
		lines = append(lines, scope)
	}
	return hex.EncodeToString([]byte(mac(key, strings.Join(append(lines, digest(request)), "\n"))))
}

// headerForm returns P1 dated date, with a credential signed with key.
func headerForm(algorithm, field, credential, scope, date, key string) string {
	const list = "host;x-sdk-date"
	signature := sign(key, algorithm, date, scope, "", "host:api.example.com\nx-sdk-date:"+date+"\n", list)
	return "GET /v1/items HTTP/1.1\r\nHost: api.example.com\r\nX-Sdk-Date: " + date + "\r\nAuthorization: " +
		algorithm + " " + field + "=" + credential + ", SignedHeaders=" + list + ", Signature=" + signature + "\r\n\r\n"
}

// queryForm returns P1 with a credential in the query, which is in canonical
// form but for the signature, signed with key.
func queryForm(scope, query, key string) string {
	signature := sign(key, "SDK-HMAC-SHA256", today, scope, query, "host:api.example.com\n", "host")
	return "GET /v1/items?" + query + "&X-Sdk-Signature=" + signature + " HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
}
