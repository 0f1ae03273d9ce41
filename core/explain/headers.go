package explain

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/internal/canonical"
)

// common has, for headers that proxies often change, the values that senders often sign.
// The names are in lower case.
var common = map[string][]string{
	"accept":            {"*/*", "application/json", "application/json, text/plain, */*"},
	"accept-encoding":   {"gzip", "identity", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "gzip,deflate", "deflate, gzip", "br, gzip, deflate"},
	"cache-control":     {"no-cache"},
	"connection":        {"keep-alive", "close"},
	"content-encoding":  {"gzip", "identity"},
	"content-length":    {"0"},
	"content-type":      {"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8", "application/json;charset=UTF-8", "application/json; charset=UTF-8", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8", "application/octet-stream", "text/plain", "text/plain; charset=utf-8"},
	"expect":            {"100-continue"},
	"te":                {"trailers"},
	"user-agent":        {"Go-http-client/1.1", "Go-http-client/2.0", "axios", "node", "node-fetch", "undici", "okhttp", "Java-http-client"},
	"x-forwarded-port":  {"443", "80", "8443", "8080"},
	"x-forwarded-proto": {"https", "http"},
}

// isPerHop reports headers that each proxy may replace or remove.
func isPerHop(name string) bool {
	return canonical.BelongsToConnection(name) || name == "expect" || name == "content-length"
}

// steers reports whether a signed header is left to other functions of the table edits: the
// host, and the headers of the scheme's own protocol.
func (s *search) steers(name string) bool {
	prefixes := []string{"x-sdk-", "x-amz-"}
	if scheme, ok := s.scheme.(core.ProtocolScheme); ok {
		prefixes = []string{scheme.HeaderPrefix()}
	}
	spelling := strings.ReplaceAll(name, "_", "-")
	own := slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(spelling, prefix) })
	return name == "host" || own && !isDigest(name)
}

// isDigest reports whether a header declares the digest of the body.
func isDigest(name string) bool {
	switch strings.ReplaceAll(name, "_", "-") {
	case "x-sdk-content-sha256", "x-sdk-content-sm3", "x-amz-content-sha256":
		return true
	}
	return false
}

// missing yields values for signed headers that the request does not have.
func (s *search) missing() (edits []edit) {
	for _, name := range s.absent() {
		put := func(cause Cause, value, detail string) {
			edits = append(edits, newEdit("header "+name, cause, "header "+name+": "+value, detail,
				func(h *hypothesis) { h.set(name, value) }))
		}
		if isDigest(name) {
			const advice = ", and the header was removed before the request arrived: make the proxy forward it"
			put(CauseHeaderMissing, s.base.digest, "the digest of the body was signed in the header "+name+advice)
			put(CauseUnsignedPayload, unsignedPayload, "UNSIGNED-PAYLOAD was signed in the header "+name+advice)
			put(CauseEmptyBody, s.hash(nil), "the digest of an empty body was signed in the header "+name+advice)
			continue
		}
		detail := "the header " + name + " was signed, and was removed before the request arrived: make the proxy forward it, or the sender not sign it"
		if isPerHop(name) {
			detail = "the header " + name + " was signed, which every proxy may remove or change: do not sign it"
		}
		for _, value := range s.likely(name) {
			put(CauseHeaderMissing, value, detail)
		}
		put(CauseHeaderMissing, "", "the header "+name+" was signed with an empty value, and was not sent: do not sign it")
	}
	return edits
}

// likely returns values that a header may have had.
func (s *search) likely(name string) (values []string) {
	values = append(values, s.hints.Headers.Values(name)...)
	values = append(values, s.received.Header.Values("X-Original-"+name)...)
	values = append(values, s.received.Header.Values("X-Forwarded-"+name)...)
	if name == "content-length" {
		values = append(values, strconv.Itoa(len(s.body)))
	}
	if name == "x-forwarded-host" {
		values = append(values, s.received.Host, s.base.host)
	}
	return append(values, common[name]...)
}

// merged yields signed headers with their lines joined, split or reordered.
func (s *search) merged() (edits []edit) {
	for _, name := range s.signed() {
		if s.steers(name) {
			continue
		}
		var one [1]string
		values := canonical.Values(s.received, name, &one)
		const most = 64
		if len(values) == 0 || len(values) > most {
			continue
		}
		put := func(detail string, to ...string) {
			to = slices.Clone(to) // the caller changes it
			if !slices.Equal(to, values) {
				edits = append(edits, newEdit("header "+name, CauseHeaderMerged, headerText(name, to...),
					"the values of the signed header "+name+" "+detail+": make the proxy forward its lines unchanged, or the sender send one line",
					func(h *hypothesis) { h.set(name, to...) }))
			}
		}
		if len(values) > 1 {
			put("were signed as one line", strings.Join(values, ", "))
			put("were signed as one line", strings.Join(values, ","))
			reversed := slices.Clone(values)
			slices.Reverse(reversed)
			put("were signed in another order", reversed...)
			put("were signed in another order", slices.Sorted(slices.Values(values))...)
			put("were not all signed: the sender signs only the first line, or a line was added after signing", values[0])
			put("were not all signed: the sender signs only the last line, or a line was added after signing", values[len(values)-1])
			for i := range values {
				put("were not all signed: a line was added after signing", slices.Delete(slices.Clone(values), i, i+1)...)
			}
			put("were not all signed: lines were added after signing", slices.Compact(slices.Sorted(slices.Values(values)))...)
		}
		joined := strings.Join(values, ",")
		if strings.Contains(joined, ",") && strings.Count(joined, ",") < most {
			lines := strings.Split(joined, ",")
			for i := range lines {
				lines[i] = canonical.Trim(lines[i])
			}
			put("were signed as several lines", lines...)
			put("were signed with a comma and no space between them", strings.Join(lines, ","))
			put("were signed with a comma and a space between them", strings.Join(lines, ", "))
			slices.Reverse(lines)
			put("were signed as several lines", lines...)
		}
	}
	return edits
}

// headers yields other values for signed headers.
func (s *search) headers() (edits []edit) {
	for _, name := range s.signed() {
		if s.steers(name) {
			continue
		}
		var one [1]string
		values := canonical.Values(s.received, name, &one)
		if len(values) == 0 {
			continue
		}
		put := func(cause Cause, value, detail string) {
			if len(values) == 1 && value == values[0] {
				return
			}
			edits = append(edits, newEdit("header "+name, cause, headerText(name, value), detail, func(h *hypothesis) { h.set(name, value) }))
		}
		if isDigest(name) {
			const detail = "another value of the signed header was signed, and it was changed before the request arrived: make the proxy forward it unchanged"
			put(CauseUnsignedPayload, unsignedPayload, "UNSIGNED-PAYLOAD was signed in the header "+name+", and was replaced by a digest before the request arrived: make the proxy forward it unchanged")
			put(CauseHeader, s.base.digest, detail)
			put(CauseEmptyBody, s.hash(nil), detail)
			continue
		}
		detail := "the signed header " + name + " was changed before the request arrived: make the proxy forward it unchanged, or the sender not sign it"
		value := strings.Join(values, ", ")
		for _, likely := range s.hints.Headers.Values(name) {
			put(CauseHeader, likely, detail)
		}
		// Each proxy appends to headers such as X-Forwarded-For.
		for list, more := value, 4; more > 0; more-- {
			i := strings.LastIndexByte(list, ',')
			if i < 0 {
				break
			}
			list = canonical.Trim(list[:i])
			put(CauseHeader, list, "a proxy has appended to the signed header "+name+": do not sign it")
		}
		put(CauseHeader, strings.Join(strings.Fields(value), " "), "the sender's signer collapses the spaces inside the signed header "+name+" into one: send a value with single spaces")
		if before, _, found := strings.Cut(value, ";"); found {
			put(CauseHeader, canonical.Trim(before), detail)
		}
		if spaced := strings.ReplaceAll(strings.ReplaceAll(value, "; ", ";"), ";", "; "); spaced != value {
			put(CauseHeader, spaced, detail)
		}
		put(CauseHeader, strings.ReplaceAll(value, "; ", ";"), detail)
		for _, likely := range s.likely(name) {
			put(CauseHeader, likely, detail)
		}
		for _, suffix := range []string{"; charset=utf-8", ";charset=utf-8", ";charset=UTF-8", "; charset=UTF-8"} {
			if name == "content-type" && !strings.Contains(value, "charset") {
				put(CauseHeader, value+suffix, detail)
			}
		}
		put(CauseHeader, strings.ToLower(value), detail)
		put(CauseHeader, strings.ToUpper(value), detail)
		put(CauseHeader, strings.Trim(value, `"`), detail)
		put(CauseHeader, strings.TrimPrefix(value, "W/"), detail)
		put(CauseHeader, "", "the signed header "+name+" had no value when it was signed, and a proxy has set one: do not sign it")
	}
	return edits
}

func headerText(name string, values ...string) string {
	return "header " + http.CanonicalHeaderKey(name) + ": " + strings.Join(values, " | ")
}

const unsignedPayload = "UNSIGNED-PAYLOAD"
