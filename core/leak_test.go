package core_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain (F18) fails where a goroutine is left when all tests have ended: a call to a key source, the end of a stretch of the log, or a server.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
