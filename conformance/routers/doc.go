// Package routers tests that no handler runs for a request with a key to which its route
// is not bound. It uses random routes and paths, and the routers of common frameworks.
package routers
