// Package telemetry makes OpenTelemetry metrics and span attributes of the
// verdicts of core.
//
//	t, err := telemetry.New(telemetry.Config{})
//	v, err := config.Watch(ctx, file, env, config.WithObservers(t),
//		config.WithReloads(func(r config.Reload) { t.Reloaded(r.Environment, r.Err) }))
//	stop, err := t.Register(v)
//
// # Metrics
//
// Names are stable. Prometheus has them with underscores, with units and, for
// counters, _total: gatewayauth_verifications_total.
//
//	gatewayauth.verifications          counter    environment, mode, scheme, code
//	gatewayauth.verification.duration  histogram  environment, outcome; seconds, the body included
//	gatewayauth.clock.skew             histogram  environment, direction; seconds, of accepted requests
//	gatewayauth.api.refusals           counter    environment, mode, api, code
//	gatewayauth.secret.uses            counter    environment, key, secret
//	gatewayauth.replay.unavailable     counter    environment, outcome
//	gatewayauth.config.last_success    gauge      environment; Unix time in seconds, real time
//	gatewayauth.config.failures        counter    environment
//	gatewayauth.config.stale           gauge      environment; 1 while the file on disk is not the policy
//
// and of each [core.Verifier] that was registered:
//
//	gatewayauth.mode                   gauge      environment, mode; 1 for the mode in force
//	gatewayauth.body.buffered          gauge      environment; bytes
//	gatewayauth.secret.last_used       gauge      environment, key, secret; Unix time in seconds,
//	                                              where it was used in the place where it is
//	gatewayauth.secret.until           gauge      environment, key; Unix time at which the next previous secret ends
//	gatewayauth.log.unwritten          counter    environment, reason
//	gatewayauth.replay.entries         gauge      environment, replay_scope
//	gatewayauth.replay.max_entries     gauge      environment, replay_scope
//
// The last two exist where the store tells its Stats, as replay.Store does.
//
// Values: code is "verified", "open" or a [core.Code]; outcome is verified, open
// or refused (of replay.unavailable: accepted or refused); scheme is "none" where
// a request was refused before one was found; direction is late for dates in the
// past and early for dates in the future; secret is current or previous; reason
// is suppressed (see [core.Config].LogLimit) or failed; api is the pattern, and
// empty for the default.
//
// Nothing that a caller chose becomes a label: key ids, paths, hosts and addresses
// do not. Every label is a word of this list or of the configuration. Where a
// configuration or a key source has had more than 1000 names, those that came
// later are "other".
//
// A request with a streamed body can have two verdicts, and then counts twice:
// verified, and at the end of its body refused.
//
// # Old secrets
//
// gatewayauth_secret_uses_total{secret="previous"} must not have grown in any
// process for as long as the rarest honest caller stays away, before the previous
// secret is removed; [core.Status] tells the same of one process.
//
// # Spans
//
// The active span gets the attributes gatewayauth.code, .environment, .mode,
// .scheme, .key and .api. With otelhttp the middleware of this module comes
// behind it.
package telemetry
