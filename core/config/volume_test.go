package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gatewayauth/gatewayauth/core/config"
	"github.com/gatewayauth/gatewayauth/internal/needs"
)

// volume is a folder as Kubernetes mounts it: its files are links through
// ..data, and a change replaces ..data.
type volume struct {
	dir, data string
}

func secretOf(generation int) string { return fmt.Sprintf("secret-of-generation-%d", generation) }

// swap replaces the volume's content. Environments file and secrets belong
// together: the key's name holds the generation, so that a mixture would show.
func (v *volume) swap(t testing.TB, generation int) {
	t.Helper()
	data := fmt.Sprintf("..v%d", generation)
	must(t, os.Mkdir(filepath.Join(v.dir, data), 0o700))
	write(t, filepath.Join(v.dir, data), "f.yaml", fmt.Sprintf(`environments:
  R:
    keys:
    - name: k
      type: hmac
      key: 071fe2459cf64d75
      secret: {file: current%d}
      previous: [{secret: {file: previous%[1]d}}]
    default: k
`, generation%2))
	for i := range 2 {
		write(t, filepath.Join(v.dir, data), fmt.Sprintf("current%d", i), secretOf(generation))
		write(t, filepath.Join(v.dir, data), fmt.Sprintf("previous%d", i), secretOf(generation-1))
	}
	must(t, os.Symlink(data, filepath.Join(v.dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
	if v.data == "" {
		for _, name := range []string{"f.yaml", "current0", "current1", "previous0", "previous1"} {
			must(t, os.Symlink(filepath.Join("..data", name), filepath.Join(v.dir, name)))
		}
	} else {
		must(t, os.RemoveAll(filepath.Join(v.dir, v.data)))
	}
	v.data = data
}

// TestKubernetesSwap_F05 swaps the volume while clients send: every request
// verifies, with the old secret or the new one.
func TestKubernetesSwap_F05(t *testing.T) {
	vol := &volume{dir: t.TempDir()}
	vol.swap(t, 1)
	v, err := config.Watch(t.Context(), filepath.Join(vol.dir, "f.yaml"), "R", quiet, config.WithPoll(time.Millisecond),
		config.WithReloads(func(r config.Reload) {
			if r.Err != nil {
				t.Errorf("reload: %v", r.Err)
			}
		}))
	must(t, err)

	// A client holds the lock while it sends, so that the generation that it
	// signs with is the verifier's, or the one before.
	var (
		generation = 1
		lock       sync.RWMutex
		clients    sync.WaitGroup
		done       = make(chan struct{})
	)
	for range 8 {
		clients.Go(func() {
			for sent := 0; ; sent++ {
				select {
				case <-done:
					if sent == 0 {
						t.Error("a client sent nothing")
					}
					return
				default:
				}
				time.Sleep(100 * time.Microsecond) // leaves the watcher some of the processors
				lock.RLock()
				got := verdict(v, signed(t, "GET", "/a", secretOf(generation)))
				lock.RUnlock()
				if got != "k" {
					t.Errorf("got %s, want k", got)
					return
				}
			}
		})
	}
	swaps := needs.Rounds(100, 1000)
	for next := 2; next <= swaps && !t.Failed(); next++ {
		vol.swap(t, next)
		deadline := time.Now().Add(20 * time.Second)
		for verdict(v, signed(t, "GET", "/a", secretOf(next))) != "k" {
			if time.Now().After(deadline) {
				t.Fatalf("generation %d is not active", next)
			}
			time.Sleep(100 * time.Microsecond)
		}
		lock.Lock()
		generation = next
		lock.Unlock()
	}
	close(done)
	clients.Wait()
	if got := verdict(v, signed(t, "GET", "/a", secretOf(1))); got != "signature_mismatch" {
		t.Errorf("a secret that is gone: got %s, want signature_mismatch", got)
	}
}

// TestVolumeOneVersion: a file below the volume's link is read through what the
// link led to, so that a load never mixes two versions; files beside the volume
// are read where they are.
func TestVolumeOneVersion(t *testing.T) {
	vol := &volume{dir: t.TempDir()}
	vol.swap(t, 1)
	write(t, vol.dir, "beside", secret)
	must(t, os.Remove(filepath.Join(vol.dir, "f.yaml")))
	path := write(t, vol.dir, "f.yaml", head, `    keys:
    - {name: k, type: hmac, key: 071fe2459cf64d75, secret: {file: beside}, previous: [{secret: {file: current0}}, {secret: {file: ..data/previous0}}]}
    default: k
`)
	f, err := config.Load(path)
	must(t, err)
	v, err := f.Verifier("R", quiet)
	must(t, err)
	for _, s := range []string{secret, secretOf(0), secretOf(1)} {
		if got := verdict(v, signed(t, "GET", "/a", s)); got != "k" {
			t.Errorf("%s: got %s, want k", s, got)
		}
	}
}
