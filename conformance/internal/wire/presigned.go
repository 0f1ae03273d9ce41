package wire

import (
	"net/url"
	"strings"
	"testing"
)

// presigned finds the X-Amz-* parameters of a query with the credential.
func (l *Layout) presigned(t testing.TB) {
	t.Helper()
	at := l.Query.Start
	for piece := range strings.SplitSeq(l.Text(l.Query), "&") {
		name, value, _ := strings.Cut(piece, "=")
		end := at + len(piece)
		if short, ok := strings.CutPrefix(name, "X-Amz-"); ok {
			l.Parameters[short] = Span{end - len(value), end}
		}
		at = end + 1
	}
	l.Algorithm = l.Parameters["Algorithm"]
	if l.Parameters["Signature"] == (Span{}) {
		t.Fatalf("no Authorization header, and no X-Amz-Signature in the query: %.300q", l.Raw)
	}
}

// Presigned reports whether the credential is in the query.
func (l *Layout) Presigned() bool { return len(l.Values("authorization")) == 0 }

// SignedHeaders returns the names that the credential lists.
func (l *Layout) SignedHeaders() []string {
	list := l.Text(l.Parameters["SignedHeaders"])
	if l.Presigned() {
		list, _ = url.QueryUnescape(list)
	}
	return strings.Split(list, ";")
}
