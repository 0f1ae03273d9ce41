package main

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain (F18) fails if a goroutine is running when the program has ended.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
