package canonical

// CheckTarget is [Message.CheckTarget] for a path and a query.
func CheckTarget(path, query string, maxParams int) error {
	t := target{path, query, shapeOf(path)}
	return t.check(new(Query), maxParams)
}
