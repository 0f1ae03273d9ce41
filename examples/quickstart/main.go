// Command quickstart demonstrates the whole library. It needs no arguments and no
// services: on loopback it starts a signing gateway, a backend with each adapter and an
// identity service. It sends requests through the gateway, and modified requests directly
// to the backends, and prints which were accepted or refused, and why. It exits with 0
// only if every verdict is right, those that the short table does not show as well.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/gatewayauth/gatewayauth/core"
)

func main() {
	log.SetFlags(0)
	everything := flag.Bool("all", false, "show every request, with the verdict of each adapter")
	scheme := flag.String("scheme", "", "send and show only the requests of the scheme of this `name`: "+strings.Join(schemeNames(), ", "))
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: go run ./examples/quickstart [-all] [-scheme name]")
		flag.PrintDefaults()
	}
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		log.Fatalf("%q: quickstart takes no arguments but -all and -scheme", flag.Arg(0))
	case *scheme != "" && !slices.Contains(schemeNames(), *scheme):
		log.Fatalf("-scheme: there is no scheme %q; the schemes are %s", *scheme, strings.Join(schemeNames(), ", "))
	}
	fmt.Print(introduction)
	tables, err := send(*scheme)
	if err != nil {
		log.Fatal(err)
	}
	p := printer{out: os.Stdout, colours: isTerminal(os.Stdout)}
	if err := p.report(tables, !*everything && *scheme == ""); err != nil {
		log.Fatal(err)
	}
}

const introduction = `This program starts a gateway that signs requests, and backends that verify
them with net/http, Echo, Gin and gRPC, all on loopback. It sends requests
through the gateway, and valid and changed ones directly to the backends.

`

// send sends the requests of a scheme, or of all if it is "", to every adapter.
func send(scheme string) ([]table, error) {
	identity, err := startIdentity()
	if err != nil {
		return nil, err
	}
	overHTTP, err := httpTable(identity, scheme)
	if err != nil {
		return nil, err
	}
	overGRPC, err := grpcTable(identity, scheme)
	return []table{overHTTP, overGRPC}, err
}

// httpTable sends every case of the scheme to every HTTP adapter.
func httpTable(identity, scheme string) (table, error) {
	t := table{protocol: "HTTP"}
	var backends []*backend
	for _, adapter := range adapters {
		b, err := start(adapter.name, adapter.mount, identity)
		if err != nil {
			return t, err
		}
		defer b.stop()
		backends = append(backends, b)
		t.adapters = append(t.adapters, adapter.name)
	}
	for _, c := range cases() {
		if scheme != "" && c.scheme != scheme {
			continue
		}
		r := row{what: c.what, status: fmt.Sprint(c.want.status), want: c.want}
		for _, b := range backends {
			want := c.want
			if b.adapter == "Echo" && c.wantOfEcho != (outcome{}) {
				want = c.wantOfEcho
			}
			r.verdicts = append(r.verdicts, verdict{want: want, got: b.send(c)})
		}
		t.rows = append(t.rows, r)
	}
	return t, nil
}

// outcome is the result of a request: the status, the code of the refusal, the key of the
// identity that the handler got, and how often the handler ran.
type outcome struct {
	status int
	code   core.Code
	key    string
	ran    int
}

func (o outcome) why() string { return cmp.Or(string(o.code), o.key) }
