// Package routers holds the test that no handler runs under a key that its route is
// not bound to: random routes and paths, through the routers that backends use.
package routers
