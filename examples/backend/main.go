// Command backend runs one handler behind each adapter, with a policy from an
// environments file. Over HTTP the handler of every method and path reads the whole body
// and responds with the identity of the request. Over gRPC there are the health and
// reflection services. The file is watched: a change takes effect without a restart.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/internal/metrics"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	file := flags.String("config", "", "environments `file`")
	env := flags.String("env", "", "`name` of the environment")
	at := flags.String("at", "", "stop the verifier's clock at this RFC 3339 `instant`, for recorded requests only")
	debug := flags.Bool("debug", false, "also log accepted requests, which gatewayauth check --report needs")
	operator := flags.String("metrics", "", "`address` to serve /metrics for Prometheus on; only the operator may reach it")
	addresses := make([]*string, len(adapters))
	for i, a := range adapters {
		addresses[i] = flags.String(a.flag, "", a.usage+"; port 0 picks one")
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *file == "" || *env == "" {
		return errors.New("-config and -env are required")
	}
	level := slog.LevelInfo
	if *debug {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	// Programs whose files have no store on Redis, or no keys of types hmac-sm3 and sm2,
	// leave these options out, and link less.
	options := []config.Option{config.WithLogger(logger), redisstore.Option(), smkeys.Option()}
	if *at != "" {
		instant, err := time.Parse(time.RFC3339, *at)
		if err != nil {
			return fmt.Errorf("-at: %w", err)
		}
		options = append(options, config.WithNow(func() time.Time { return instant }))
	}
	var m *metrics.Metrics
	if *operator != "" {
		var err error
		if m, err = metrics.New(); err != nil {
			return err
		}
		options = append(options, m.Options()...)
	}
	watching, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end() // after the servers have shut down, because it closes the replay store
	v, err := config.Watch(watching, *file, *env, options...)
	if err != nil {
		return err
	}
	more := ""
	if m != nil {
		listening, stop, err := m.Serve(*operator, v, nil)
		if err != nil {
			return err
		}
		defer stop()
		more = " metrics=" + listening
	}
	return serve(ctx, v, addresses, more, out)
}

// serve listens on every address that is set, prints one line with the addresses and
// more, and serves until ctx ends.
func serve(ctx context.Context, v *core.Verifier, addresses []*string, more string, out io.Writer) error {
	var ready strings.Builder
	var servers []server
	failed := make(chan error, len(adapters))
	for i, a := range adapters {
		if *addresses[i] == "" {
			continue
		}
		listener, err := net.Listen("tcp", *addresses[i])
		if err != nil {
			return err
		}
		server := a.server(v)
		servers = append(servers, server)
		go func() { failed <- server.Serve(listener) }()
		fmt.Fprintf(&ready, " %s=%s", a.flag, listener.Addr())
	}
	if len(servers) == 0 {
		return errors.New("no address to listen on; see -help")
	}
	fmt.Fprintf(out, "ready%s%s\n", &ready, more)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	const grace = 10 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	var problems []error
	for _, server := range servers {
		if err := server.Shutdown(ctx); err != nil {
			problems = append(problems, fmt.Errorf("requests were still in progress after %v: %w", grace, err))
		}
	}
	return errors.Join(problems...)
}
