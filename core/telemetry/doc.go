// Package telemetry records the verdicts of core as OpenTelemetry metrics and span
// attributes.
//
//	t, err := telemetry.New(telemetry.Config{})
//	v, err := config.Watch(ctx, file, env, config.WithObservers(t),
//		config.WithReloads(func(r config.Reload) { t.Reloaded(r.Environment, r.Err) }))
//	stop, err := t.Register(v)
//
// # Metrics
//
// Names are stable. In Prometheus they have underscores, the unit and, for counters,
// the suffix _total: gatewayauth_verifications_total.
//
//	gatewayauth.verifications          counter    environment, mode, scheme, code
//	gatewayauth.verification.duration  histogram  environment, outcome; seconds, including reading the body
//	gatewayauth.clock.skew             histogram  environment, direction; seconds, of accepted requests
//	gatewayauth.api.refusals           counter    environment, mode, api, code
//	gatewayauth.secret.uses            counter    environment, key, secret
//	gatewayauth.replay.unavailable     counter    environment, outcome
//	gatewayauth.config.last_success    gauge      environment; Unix time in seconds, real time
//	gatewayauth.config.failures        counter    environment
//	gatewayauth.config.stale           gauge      environment; 1 while the file on disk cannot be loaded
//
// and for each registered [core.Verifier]:
//
//	gatewayauth.mode                   gauge      environment, mode; 1 for the mode in force
//	gatewayauth.body.buffered          gauge      environment; bytes
//	gatewayauth.secret.last_used       gauge      environment, key, secret; Unix time in seconds,
//	                                              absent if not used since the last rotation
//	gatewayauth.secret.until           gauge      environment, key; Unix time at which the next previous secret ends
//	gatewayauth.log.unwritten          counter    environment, reason
//	gatewayauth.replay.entries         gauge      environment, replay_scope
//	gatewayauth.replay.max_entries     gauge      environment, replay_scope
//
// The last two exist if the replay store has a method Stats, as replay.Store has.
//
// Values of the labels: code is "verified", "open" or a [core.Code]; outcome is
// verified, open or refused (for replay.unavailable: accepted or refused); scheme is
// "none" if a request was refused before its scheme was known; direction is late for
// dates in the past and early for dates in the future; secret is current or previous;
// reason is suppressed (see [core.Config].LogLimit) or failed; api is the pattern, and
// empty for the default.
//
// A caller cannot choose the value of a label: key ids, paths, hosts and addresses are
// not used. Every value is from this list or from the configuration. After 1000 names
// from the configuration or a key source, further names become "other".
//
// A request with a streamed body can have two verdicts and is then counted twice: as
// verified, and as refused at the end of its body. So can one that an adapter refuses
// itself ([core.Verifier].Refuse), in any mode.
//
// # Old secrets
//
// Before a previous secret is removed, gatewayauth_secret_uses_total{secret="previous"}
// should not have increased in any process for as long as the least frequent caller may
// pause. [core.Status] has the same count for one process.
//
// # Spans
//
// The active span gets the attributes gatewayauth.code, .environment, .mode, .scheme,
// .key and .api. The middleware of otelhttp must run before that of this module.
// [LogHandler] puts the ids of the trace and the span into the records.
package telemetry
