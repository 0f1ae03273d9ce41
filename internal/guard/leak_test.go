package guard_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain (F18) fails if a goroutine is running when all tests have ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
