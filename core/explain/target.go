package explain

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A source is a value and where it was found.
type source struct{ value, where string }

// hosts yields the hosts that may have been signed.
func (s *search) hosts() (edits []edit) {
	base, r := s.base.host, s.received
	var known []source
	add := func(where string, hosts ...string) {
		for _, h := range hosts {
			if h = strings.Trim(h, " \t\""); h != "" && isHost(h) {
				known = append(known, source{h, where})
			}
		}
	}
	add("given as a hint", s.hints.Hosts...)
	if s.policy.Rewrite.Host != "" {
		add("the received Host, which "+s.setting("Rewrite.Host")+" replaces", r.Host)
	}
	for _, name := range []string{"X-Forwarded-Host", "X-Original-Host", "X-Host", "X-Forwarded-Server"} {
		for _, value := range r.Header[name] {
			add("from "+name, strings.Split(value, ",")...)
		}
	}
	for _, value := range r.Header["Forwarded"] {
		for _, part := range strings.FieldsFunc(value, func(c rune) bool { return c == ';' || c == ',' }) {
			if name, host, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(name, "host") {
				add("from Forwarded", host)
			}
		}
	}
	add("from the request target", r.URL.Host)
	for _, other := range s.others {
		add(s.setting("Rewrite.Host")+" of the environment "+other.name, other.policy.Rewrite.Host)
	}
	for _, api := range s.policy.APIs {
		host, _ := splitPattern(api.Match)
		add("from the pattern of an API", host)
	}
	for _, name := range []string{"Origin", "Referer"} {
		if u, err := url.Parse(s.headerValue(name)); err == nil {
			add("from "+name, u.Host)
		}
	}
	const most = 40
	known = known[:min(len(known), most)]
	plain := append([]source{{base, ""}}, known...)
	for _, h := range plain {
		name := withoutPort(h.value)
		where := h.where
		if where == "" {
			where = "the received host with another port or spelling"
		}
		ports := []string{"80", "443", s.headerValue("X-Forwarded-Port")}
		if _, port, err := net.SplitHostPort(base); err == nil {
			ports = append(ports, port)
		}
		add(where, name, strings.ToLower(h.value), strings.TrimSuffix(h.value, "."))
		for _, port := range ports {
			if isPort(port) {
				add(where, name+":"+port)
			}
		}
	}
	add("another name of this machine", strings.NewReplacer("127.0.0.1", "localhost", "localhost", "127.0.0.1").Replace(base))
	for _, other := range known {
		if other.value == base {
			continue
		}
		detail := "another host was signed than the received one (" + other.where + "): make the proxy forward the Host header unchanged, or set " + s.setting("Rewrite.Host") + " to the signed host"
		if s.policy.Rewrite.Host != "" && other.value == r.Host {
			detail = "the host as received was signed, and " + s.setting("Rewrite.Host") + " replaces it: remove " + s.setting("Rewrite.Host")
		}
		edits = append(edits, newEdit("host", CauseHost, "host "+other.value+" instead of "+base, detail,
			func(h *hypothesis) { h.host = other.value }))
	}
	return edits
}

func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil && !strings.Contains(name, ":") {
		return name
	}
	return host
}

// methods yields the other methods.
func (s *search) methods() (edits []edit) {
	known := []string{s.headerValue("X-Http-Method-Override"), strings.ToUpper(s.base.method), http.MethodHead, http.MethodGet,
		http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	for _, method := range known {
		if method == "" || method == s.base.method || strings.ContainsAny(method, "\r\n") {
			continue
		}
		edits = append(edits, newEdit("method", CauseMethod, "method "+method+" instead of "+s.base.method,
			"another method was signed, and was changed before the request arrived, as caches change HEAD and method overrides change POST: make proxies and middleware keep the method",
			func(h *hypothesis) { h.method = method }))
	}
	return edits
}

// splitPattern returns the host and the path of an API's pattern.
func splitPattern(pattern string) (host, path string) {
	if _, rest, found := strings.Cut(strings.ReplaceAll(pattern, "\t", " "), " "); found {
		pattern = strings.TrimLeft(rest, " ")
	}
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return pattern[:i], pattern[i:]
	}
	return pattern, ""
}

// isHost reports whether a text can be a host, with or without a port.
func isHost(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`/\@?#,`, c) })
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
