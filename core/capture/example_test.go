package capture_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/capture"
)

// A Verifier that is configured in code keeps what it refuses.
func Example() {
	parent, err := os.MkdirTemp("", "capture")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "refused")
	key := core.Key{Name: "orders_key", ID: "071fe2459cf64d75", Secret: core.NewSecret("test-only-0123456789")}
	logger := slog.New(slog.DiscardHandler)

	kept, err := capture.New(capture.Config{Dir: dir, Logger: logger})
	if err != nil {
		log.Fatal(err)
	}
	v, err := core.New(core.Config{
		Environment: "RELEASE",
		Schemes:     []core.Scheme{apig.New(apig.Config{Keys: core.Keys(key)})},
		Default:     "orders_key",
		Observers:   []core.Observer{kept},
		Logger:      logger,
	})
	if err != nil {
		log.Fatal(err)
	}

	_, err = v.Verify(httptest.NewRequest("GET", "/orders/7", nil))
	fmt.Println(core.StatusCode(err))
	kept.Wait()
	files, err := capture.Files(dir)
	fmt.Println(len(files), err)
	// Output:
	// 401
	// 1 <nil>
}
