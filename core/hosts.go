package core

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// authority is an entry of Config.Hosts.
type authority struct {
	name    string     // in lower case; empty for an address in brackets
	below   bool       // the entry is *.name: the hosts below the name
	address netip.Addr // that stood in brackets
	port    string     // empty where the entry has none
}

var errNotOurs = Refuse(CodeHostNotOurs, "rightly signed, for a host that this environment does not list: meant for another service, or the list of hosts lacks it")

// checkHost refuses a request for a host that is not listed. It comes after the
// signature, so that only holders of a key learn which hosts there are.
func checkHost(v *verification) error {
	if !v.policy.isOurs(v.signed.Host) {
		return errNotOurs
	}
	return nil
}

// isOurs reports whether Hosts lists a host, or is absent.
func (p *policy) isOurs(host string) bool {
	if len(p.hosts) == 0 {
		return true
	}
	name, port, brackets, ok := splitAuthority(host)
	if !ok {
		return false
	}
	var address netip.Addr
	if brackets {
		if address, _ = netip.ParseAddr(name); !address.IsValid() {
			return false
		}
	}
	name = strings.TrimSuffix(name, ".") // the same host, for DNS
	for i := range p.hosts {
		if a := &p.hosts[i]; samePort(a.port, port) && (brackets && a.address == address || !brackets && a.covers(name)) {
			return true
		}
	}
	return false
}

// covers reports whether the entry stands for a name, which has no final dot.
func (a *authority) covers(name string) bool {
	if a.name == "" {
		return false
	}
	if !a.below {
		return sameName(a.name, name)
	}
	end := len(name) - len(a.name)
	return end > 0 && name[end-1] == '.' && sameName(a.name, name[end:]) && noLabelIsEmpty(name[:end-1])
}

func noLabelIsEmpty(name string) bool {
	return name != "" && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}

// splitAuthority splits a host into name and port, and removes brackets.
func splitAuthority(host string) (name, port string, brackets, ok bool) {
	if rest, found := strings.CutPrefix(host, "["); found {
		name, rest, found = strings.Cut(rest, "]")
		if port, ok = strings.CutPrefix(rest, ":"); !ok && rest != "" {
			return "", "", false, false
		}
		return name, port, true, found
	}
	name, port, _ = strings.Cut(host, ":")
	return name, port, false, strings.IndexByte(port, ':') < 0
}

// samePort reports whether two ports are the same. Senders may leave out the default
// port of http or https, and a verifier cannot see which of the two was used.
func samePort(a, b string) bool {
	isDefault := func(port string) bool { return port == "80" || port == "443" }
	return a == b || a == "" && isDefault(b) || b == "" && isDefault(a)
}

// validateHosts reads Hosts, and requires the host to be signed: an unsigned one proves
// nothing.
func (x *compiler) validateHosts() {
	if x.Hosts != nil && len(x.Hosts) == 0 {
		x.problem("Hosts", "an empty list, with which every request would be refused; leave it out to accept every host")
	}
	for i, entry := range x.Hosts {
		a, wrong := parseEntry(entry)
		if wrong != "" {
			x.wrongValue(item("Hosts", i), entry, wrong)
		}
		x.hosts = append(x.hosts, a)
	}
	if len(x.hosts) > 0 && !slices.ContainsFunc(x.required, func(h required) bool { return h.name == "host" }) {
		x.required = append(x.required, required{"host", &Error{Code: CodeHeaderNotSigned, Detail: "hosts are listed, so the host must be signed", Header: "host", Hint: hintRequiredByHosts, known: true}})
	}
}

// parseEntry reads an entry of Hosts, or says what is wrong with it.
func parseEntry(entry string) (a authority, wrong string) {
	name, port, brackets, ok := splitAuthority(entry)
	switch {
	case strings.ContainsAny(entry, "/@?#"):
		return a, "is not a host, or a host and a port, alone: leave out scheme, path and user"
	case !ok:
		return a, "is not a host and a port; an IPv6 address stands in brackets: [::1]:8443"
	case strings.HasSuffix(entry, ":"):
		return a, "has a colon and no port"
	case port != "" && !isEntryPort(port):
		return a, "has a port that is not a number from 1 to 65535"
	}
	a.port = port
	if brackets {
		address, err := netip.ParseAddr(name)
		if err != nil || address.Zone() != "" || address.Is4() {
			return a, "has something in brackets that is not an IPv6 address without a zone"
		}
		a.address = address
		return a, ""
	}
	name, a.below = strings.CutPrefix(strings.ToLower(name), "*.")
	switch {
	case name == "*" && !a.below:
		return a, "stands for every host; leave the list out to accept every host"
	case strings.Contains(name, "*"):
		return a, "has a * that is not the whole first label: write *.example.com"
	case strings.HasSuffix(name, "."):
		return a, "ends with a dot; leave it out, requests with and without it match"
	case !isName(name) || !noLabelIsEmpty(name):
		return a, "is not a host name; write one with other letters than ASCII in punycode (xn--...)"
	}
	a.name = name
	return a, ""
}

func isEntryPort(port string) bool {
	n, _ := strconv.ParseUint(port, 10, 16)
	return n > 0 && port == strconv.FormatUint(n, 10)
}
