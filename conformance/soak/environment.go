package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/core/config/redisstore"
	"github.com/gatewayauth/gatewayauth/core/config/smkeys"
	"github.com/gatewayauth/gatewayauth/core/token"
	"github.com/gatewayauth/gatewayauth/internal/testkit"
)

// The policy of every environment, where the traffic depends on it.
const (
	host        = "api.example.com"
	maxBody     = 1 << 20
	maxBuffered = 80 * maxBody // more than maxClients can send at once
	maxClients  = 64
	bodyTimeout = 2 * time.Second
	linkLife    = 3 * time.Second // of short presigned links
	clockStep   = 30 * time.Second
)

// types are the types of the keys in the file, by the names of the keys. Each key
// is bound to the API below its name.
var types = map[string]string{"hmac": "hmac", "aksk": "aksk", "v11": "v11", "ecdsa": "ecdsa-p256", "sm3": "hmac-sm3", "sm2": "sm2",
	"sigv4": "sigv4", "s3": "sigv4", "sigv4a": "sigv4a", "aes": "aes", "basic": "basic", "token": "token"}

// The keys that change with the generation, or whose APIs do.
const (
	rotated = "rotated" // a new secret each time; the one before is still accepted
	guest   = "guest"   // a new id and secret each time
	red     = "red"     // bound to the API moving in even generations, blue in odd ones
	blue    = "blue"
	moving  = "moving"
	toggled = "toggled" // an API of red that allows unsigned payloads in even generations
)

// pairs are all schemes in all their forms, each with a key of its own.
func pairs(headers ...string) []testkit.Pair {
	return append(testkit.PairsOf(fixedKey, headers...),
		testkit.Pair{Name: "token", Key: core.Key{Name: "token"}, Signer: token.NewSigner(core.NewSecret(callerToken))})
}

func fixedKey(name string) core.Key {
	return core.Key{Name: name, ID: "id-of-" + name, Secret: core.NewSecret("secret-of-" + name + "-0123456789abcdef")}
}

// changingKey is a key of a generation of one adapter's file.
func changingKey(name, adapter string, generation int) core.Key {
	k := fixedKey(name)
	k.Secret = core.NewSecret(fmt.Sprintf("secret-of-%s-%s-%d", name, adapter, generation))
	if name == guest {
		k.ID = fmt.Sprintf("id-of-guest-%d", generation)
	}
	return k
}

// apis are the keys of the APIs in a generation.
func apis(generation int) map[string]string {
	bound := map[string]string{rotated: rotated, guest: guest, toggled: red, moving: red}
	for name := range types {
		bound[name] = name
	}
	if generation%2 == 1 {
		bound[moving] = blue
	}
	return bound
}

// environmentsFile is the content of a generation.
func environmentsFile(adapter string, at services, generation int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "environments:\n  soak:\n    max_body: %d\n    max_buffered: %d\n    body_timeout: %v\n    allow_presigned: true\n"+
		"    replay: {store: redis, url: %q, timeout: 5s}\n    keys:\n", maxBody, maxBuffered, bodyTimeout, at.redis)
	add := func(k core.Key, kind, more string) {
		fmt.Fprintf(&b, "      - {name: %s, type: %s, key: %q, secret: %q%s}\n", k.Name, kind, k.ID, k.Secret.Reveal(), more)
	}
	written := map[string]bool{}
	for _, p := range pairs() {
		switch k := p.Key; {
		case written[k.Name]:
			continue
		case k.Name == "aes":
			fmt.Fprintf(&b, "      - {name: aes, type: aes, key: aesKey-123456789, secret: vector-987654321}\n")
		case k.Name == "token":
			fmt.Fprintf(&b, "      - {name: token, type: token, iam_url: %q, insecure_http: true, user: u, password: p, domain: d, project: p}\n", at.iam)
		case k.Region != "" && k.Name == "s3":
			add(k, types[k.Name], ", paths: s3, region: "+k.Region+", service: "+k.Service)
		case k.Region != "":
			add(k, types[k.Name], ", region: "+k.Region+", service: "+k.Service)
		default:
			add(k, types[k.Name], "")
		}
		written[p.Key.Name] = true
	}
	previous := changingKey(rotated, adapter, generation-1).Secret.Reveal()
	add(changingKey(rotated, adapter, generation), "hmac", fmt.Sprintf(", previous: [{secret: %q}]", previous))
	add(changingKey(guest, adapter, generation), "hmac", "")
	add(fixedKey(red), "hmac", "")
	add(fixedKey(blue), "hmac", "")
	b.WriteString("    apis:\n")
	for api, key := range apis(generation) {
		allow := api != toggled || generation%2 == 0
		fmt.Fprintf(&b, "      - {match: \"/%s/\", key: %s, allow_unsigned_payload: %v}\n", api, key, allow)
		fmt.Fprintf(&b, "      - {match: \"/%s/stream/\", key: %s, allow_unsigned_payload: %v, stream: true}\n", api, key, allow)
		fmt.Fprintf(&b, "      - {match: \"POST /soak.%s/\", key: %s, allow_unsigned_payload: %v}\n", api, key, allow)
	}
	return b.String()
}

// services are the URLs of what a file refers to.
type services struct{ redis, iam string }

// An environment is a file that changes each second, the Verifier that follows it,
// and when which generation may have been in force.
type environment struct {
	adapter, path string
	at            services
	verifier      *core.Verifier
	clock         clock
	results       chan error // of reloads

	mu              sync.Mutex
	written, loaded []time.Time // by generation: before that it is not in force, after that no older one is
	refused         int         // contents that could not be loaded
}

// clock is that of a Verifier. It steps back and forth.
type clock struct {
	mu   sync.Mutex
	back time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(-c.back)
}

func (c *clock) step(back time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.back = back
}

// watch writes the first generation and follows the file until ctx ends.
func watch(ctx context.Context, adapter, path string, at services) (*environment, error) {
	e := &environment{adapter: adapter, path: path, at: at, results: make(chan error, 1)}
	if err := e.write(0, environmentsFile(adapter, at, 0)); err != nil {
		return nil, err
	}
	v, err := config.Watch(ctx, path, "soak", redisstore.Option(), smkeys.Option(), config.WithLogger(slog.New(slog.DiscardHandler)), config.WithNow(e.clock.now),
		config.WithReloads(func(r config.Reload) {
			e.mu.Lock()
			if r.Err == nil {
				e.loaded = append(e.loaded, time.Now())
			} else {
				e.refused++
			}
			e.mu.Unlock()
			select {
			case e.results <- r.Err:
			case <-ctx.Done(): // nobody waits for it any more
			}
		}))
	if err != nil {
		return nil, err
	}
	e.verifier = v
	return e, <-e.results
}

// rotate replaces the file once a second. Every fifth time it writes one that cannot
// be loaded first. Every fourth time the clock steps.
func (e *environment) rotate(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for generation := 1; ; generation++ {
		if generation%4 == 0 {
			e.clock.step(clockStep * time.Duration(generation/4%2))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-second.C:
		}
		text := environmentsFile(e.adapter, e.at, generation)
		if generation%5 == 0 {
			if err := e.replace(ctx, -1, text+"      - {match: /, key: nobody}\n"); err == nil {
				return errors.New("a file with a key that does not exist was loaded")
			}
		}
		if err := e.replace(ctx, generation, text); err != nil && ctx.Err() == nil {
			return fmt.Errorf("generation %d was not loaded: %w", generation, err)
		}
	}
}

// replace writes a content and returns the result of its reload.
func (e *environment) replace(ctx context.Context, generation int, text string) error {
	if err := e.write(generation, text); err != nil {
		return err
	}
	select {
	case err := <-e.results:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return errors.New("no reload within 30 s")
	}
}

func (e *environment) write(generation int, text string) error {
	if err := os.WriteFile(e.path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	if generation >= 0 {
		e.mu.Lock()
		e.written = append(e.written, time.Now())
		e.mu.Unlock()
	}
	return os.Rename(e.path+".new", e.path)
}

// during returns the first and the last generation that may have been in force.
func (e *environment) during(from, to time.Time) (first, last int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := func(list []time.Time, t time.Time) int {
		for i := len(list) - 1; i > 0; i-- {
			if !list[i].After(t) {
				return i
			}
		}
		return 0
	}
	return before(e.loaded, from), before(e.written, to)
}

// reloads returns how many contents were loaded after the first one, and how many
// were refused.
func (e *environment) reloads() (loaded, refused int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.loaded) - 1, e.refused
}

// isDeclared reports whether a pair declares the digest of the body.
func isDeclared(p testkit.Pair) bool {
	return strings.Contains(p.Name, "declared") || p.Name == "sigv4 s3"
}
