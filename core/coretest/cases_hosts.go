package coretest

import (
	"slices"

	"github.com/gatewayauth/gatewayauth/core"
)

var notOurs = refused(core.CodeHostNotOurs)

// ours lists the fixture's host, and the subdomains of another.
func ours(c *core.Config) { c.Hosts = []string{"API.example.com", "*.svc.cluster.local:8443"} }

// elsewhere lists only a host that the fixture does not have.
func elsewhere(c *core.Config) { c.Hosts = []string{"service-b.internal"} }

// forHost returns P1, correctly signed for a host.
func forHost(name string) message { return k1.sign(p1().set("Host", name), plain) }

// Two services with the same key.
func serviceCases() []testCase {
	to := func(names ...string) (list []row) {
		for _, name := range names {
			list = append(list, row{"signed for " + name, forHost(name)})
		}
		return list
	}
	right := onBasic(basicAuth(k2.id + ":" + k2.secret))
	declared := waitingFor(declaring(bodyHash("x"), digestList).set("Host", "service-a.internal"))
	declared.body = ""
	declared = k1.sign(declared, digestList)
	behind := func(hosts ...string) func(*core.Config) {
		return func(c *core.Config) { c.Hosts, c.Rewrite.Host = hosts, "gw.internal" }
	}
	forGateway := forHost("gw.internal").set("Host", host)
	unsignedHost := func(c *core.Config) { ours(c); c.RequireSigned = []string{} }
	return slices.Concat(
		rows("T183", accepted, row{"no host is listed", forHost("service-a.internal")}),
		under(ours, slices.Concat(
			rows("T183", accepted, append(to("API.EXAMPLE.COM", "api.example.com.", "api.example.com:443", "api.example.com:80",
				"orders.shop.svc.cluster.local:8443", "orders.svc.cluster.local.:8443"), row{"a body", p2()})...),
			rows("T183", notOurs, to("service-a.internal", "api.example.com:8443", "example.com", "x.api.example.com", "api.example.com.evil.example",
				"svc.cluster.local:8443", "orders.svc.cluster.local", "orders.svc.cluster.local:8444", "evilsvc.cluster.local:8443", "[::1]", "127.0.0.1")...),
			rows("T183", notOurs.bodyUnread(), row{"a declared, announced body, for another host", declared}),
			rows("T183", mismatch, row{"signed for another host, sent with ours", forHost("service-a.internal").set("Host", host)},
				row{"signed for ours, sent with another host", p1().set("Host", "service-a.internal")}),
			// A caller without a key must not learn which hosts are listed.
			rows("T183", missing, row{"no credential, for another host", unsigned("/v1/items").set("Host", "service-a.internal")}),
			rows("T183", unknownKey, row{"an unknown key, for another host", called("NOPE").send.set("Host", "service-a.internal")}),
			rows("T183", refused(core.CodeKeyNotBound), row{"another API's key, for another host", k7.sign(p1().set("Host", "service-a.internal"), plain)}),
			rows("T183", letIn, row{"an open API, for another host", unsigned("/health").set("Host", "service-a.internal")}),
			rows("T183", basicAllowed, row{"a password", right}),
			rows("T183", notOurs, row{"a password, for another host", right.set("Host", "service-a.internal")}))),
		under(unsignedHost, slices.Concat(
			rows("T183", accepted, row{"the host is signed, and not required", p1()}),
			rows("T183", notSigned, row{"the host is not signed", k1.sign(p1(), "x-sdk-date")}))),
		under(behind("gw.internal"), rows("T183", verdict{payload: core.PayloadHashed, hostReplaced: true},
			row{"the rewritten host is listed", forGateway})),
		under(behind(host), rows("T183", notOurs, row{"the received host is listed, the rewritten one is not", forGateway})),
		under(func(c *core.Config) { elsewhere(c); reportOnly(c) }, rows("T183",
			verdict{code: core.CodeHostNotOurs, reported: true}, row{"report-only, for another host", p1()})),
		under(ours, []testCase{
			overHTTP2("T183", "our authority", p1(), accepted),
			overHTTP2("T183", "our authority with a port", forHost(host+":443"), accepted),
			overHTTP2("T183", "another authority", forHost("service-a.internal"), notOurs),
			overHTTP2("T183", "another authority with a body", k1.sign(p2().set("Host", "service-a.internal"), plain), notOurs),
		}),
	)
}
