package canonical

// BelongsToConnection reports whether a header, whose name is in lower case, belongs to one
// connection or is absent from what a server sees. Each proxy may replace it, so it cannot
// be signed.
func BelongsToConnection(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-authorization", "proxy-connection",
		"te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}
