package ginauth

import (
	"bufio"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/gatewayauth/gatewayauth/core"
)

// watchedWriter tells the admission how the request is answered, before the first byte.
// Gin keeps the status until then.
type watchedWriter struct {
	gin.ResponseWriter
	admission core.Admission
}

func (w *watchedWriter) answer() { w.admission.Answer(finalStatus(w)) }

// finalStatus returns the status that the client gets. Gin keeps one of 1xx, such as that
// of early hints, and net/http then sends 200 with the body or at the end.
func finalStatus(w gin.ResponseWriter) int { return max(w.Status(), http.StatusOK) }

// Unwrap is for [http.ResponseController].
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.answer()
	return w.ResponseWriter.Write(p)
}

func (w *watchedWriter) WriteString(s string) (int, error) {
	w.answer()
	return w.ResponseWriter.WriteString(s)
}

func (w *watchedWriter) WriteHeaderNow() {
	w.admission.Answer(w.Status()) // nothing for one of 1xx
	w.ResponseWriter.WriteHeaderNow()
}

func (w *watchedWriter) Flush() {
	w.answer()
	w.ResponseWriter.Flush()
}

func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.admission.Answer(http.StatusSwitchingProtocols)
	return w.ResponseWriter.Hijack()
}
