package redis_test

import (
	"fmt"
	"log"
	"os"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/replay/redis"
)

// The URL holds a password, so it is read from where secrets are kept.
func ExampleNew() {
	store, err := redis.New(redis.Config{URL: core.NewSecret(os.Getenv("REPLAY_REDIS_URL"))})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	fmt.Println(store)
}
