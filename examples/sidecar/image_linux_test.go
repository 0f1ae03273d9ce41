package sidecar_test

import (
	"debug/elf"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/gatewayauth/gatewayauth/core/apig"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

const build = "CGO_ENABLED=0 go build -trimpath -ldflags=-s -o "

// TestDockerfile_T209: the binary that CI has built is the one of the image.
func TestDockerfile_T209(t *testing.T) {
	for file, lines := range map[string][]string{
		"../../Dockerfile": {`FROM golang:\S+ AS build`, "RUN " + build + "/gatewayauth ./cmd/gatewayauth", `FROM scratch`,
			`COPY --from=build /gatewayauth /gatewayauth`, `USER 65532:65532`, `ENTRYPOINT \["/gatewayauth"\]`},
		"../../.ci/run": {"run env " + build + `"\$GATEWAYAUTH_STATIC" ./cmd/gatewayauth`},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^` + line + `$`).Match(text) {
				t.Errorf("%s has no line %s", file, line)
			}
		}
	}
}

// TestImage_T209: the binary of the image runs without any file of a system, as the user of the
// image.
func TestImage_T209(t *testing.T) {
	made := os.Getenv("GATEWAYAUTH_STATIC")
	if made == "" {
		t.Skip("GATEWAYAUTH_STATIC does not name the binary; to build it: " + build + "/tmp/gatewayauth ./cmd/gatewayauth")
	}
	program, err := elf.Open(made)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has %v", part.Type)
		}
	}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("X-Gatewayauth-Key"))
	}))
	defer service.Close()
	root := t.TempDir()
	for to, from := range map[string]string{"gatewayauth": made, "environments.yaml": "environments.yaml"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(root, to), text, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(root, 0o755)
	cmd := exec.Command("/gatewayauth", "guard", "-config", "/environments.yaml", "-env", "RELEASE", "-listen", "127.0.0.1:0", "-to", service.URL)
	cmd.Dir, cmd.Env = "/", []string{"ORDERS_SECRET=" + secret}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65532, Gid: 65532}
	} else {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getgid(), Size: 1}}
	}
	probe := *cmd
	probe.Args = []string{"/gatewayauth", "help"}
	if err := probe.Run(); err != nil {
		t.Skipf("this user cannot run a program in another root: %v", err)
	}
	url := "http://" + run(t, cmd)
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "status"))
	if os.Getuid() == 0 && (err != nil || !regexp.MustCompile(`(?m)^Uid:\s+65532\s+65532`).Match(status)) {
		t.Errorf("the process has another user: %v\n%s", err, status)
	}
	r, err := http.NewRequest("GET", url+"/orders/7", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&signer.Transport{Signer: apig.NewSigner(key, apig.SignOptions{}), Base: &http.Transport{DisableKeepAlives: true}}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != "orders_key" {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}
