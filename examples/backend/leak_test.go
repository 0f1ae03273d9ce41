package main

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain (F18) fails where the program leaves a goroutine behind when it ends.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
