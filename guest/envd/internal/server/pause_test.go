package server

// What a pause and a resume ask of envd: /quiesce, /thaw, and an /init as often as
// the sandbox is resumed.

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wrenn.dev/envd/internal/process"
)

func (g *guest) quiesce(body string) {
	g.t.Helper()
	g.expectStatus(g.do("POST", "/quiesce", strings.NewReader(body)), 204)
}

func (g *guest) expectFrozen(want bool) {
	g.t.Helper()
	if got := g.disk.isFrozen(); got != want {
		g.t.Fatalf("frozen: %v, want %v", got, want)
	}
}

func TestQuiesceFreezesTheDiskOnlyWhenAsked(t *testing.T) {
	g := newGuest(t)
	for _, body := range []string{"", "{}", `{"freeze":false}`} {
		g.quiesce(body)
		g.expectFrozen(false)
	}
	for i := 0; i < 2; i++ {
		g.quiesce(`{"freeze":true}`)
		g.expectFrozen(true)
	}
	for i := 0; i < 2; i++ {
		g.expectStatus(g.do("POST", "/thaw", nil), 204)
		g.expectFrozen(false)
	}
	for _, body := range []string{"freeze", `{"freeze":"yes"}`, "[]"} {
		g.expectRefusal(g.do("POST", "/quiesce", strings.NewReader(body)), 400, "invalid_argument")
	}
	g.expectFrozen(false)
}

func TestAFreezeThatFailsSaysWhy(t *testing.T) {
	g := newGuest(t)
	g.disk.failure = errors.New("FIFREEZE: input/output error")
	res := g.do("POST", "/quiesce", strings.NewReader(`{"freeze":true}`))
	if body := g.expectStatus(res, 500); !strings.Contains(body, "FIFREEZE: input/output error") {
		t.Fatal(body)
	}
	g.expectFrozen(false)
	g.expectRefusal(g.do("POST", "/thaw", nil), 500, "internal")
	g.quiesce("")
}

func TestACommandGoesOnThroughAQuiesceAndItsLatestOutputWaits(t *testing.T) {
	g := newGuest(t)
	dir := t.TempDir()
	s := g.start(sh(fmt.Sprintf(`echo first; while [ ! -e %[1]s/go ]; do sleep 0.01; done
		head -c 2000000 /dev/zero; echo last; touch %[1]s/done; exec sleep 60`, dir)))
	pid := s.pid()
	if line := s.line(); line != "first" {
		t.Fatal(line)
	}
	g.quiesce(`{"freeze":true}`)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the command gets on without a reader", func() bool { return exists(filepath.Join(dir, "done")) })
	again := g.attach(pid)
	g.killAll()
	r := again.rest()
	r.expectExit(t, 137)
	if len(r.stdout) == 0 || len(r.stdout) > 256<<10 || !bytes.HasSuffix(r.stdout, []byte("last\n")) {
		t.Fatalf("%d bytes wait, the end is %q", len(r.stdout), r.stdout[len(r.stdout)-1:])
	}
}

// memoryEtc has links to files in a tmpfs, as templates have.
func (g *guest) memoryEtc() (folder string) {
	g.t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "envd-test-")
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { os.RemoveAll(folder) })
	for _, name := range []string{"hostname", "hosts", "machine-id"} {
		if err := os.Symlink(filepath.Join(folder, name), filepath.Join(g.etc, name)); err != nil {
			g.t.Fatal(err)
		}
	}
	return folder
}

func identityOf(n int) map[string]any {
	return map[string]any{
		"accessToken": fmt.Sprintf("token %d", n), "hostname": fmt.Sprintf("sb-%d", n),
		"machineId": fmt.Sprintf("%032x", n), "entropy": bytes.Repeat([]byte{byte(n)}, 32), "timestamp": time.Now(),
	}
}

func (g *guest) expectIdentity(n int) {
	g.t.Helper()
	for name, want := range map[string]string{
		"hostname":   fmt.Sprintf("sb-%d\n", n),
		"hosts":      fmt.Sprintf("127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tsb-%d\n", n),
		"machine-id": fmt.Sprintf("%032x\n", n),
	} {
		if got, _ := os.ReadFile(filepath.Join(g.etc, name)); string(got) != want {
			g.t.Fatalf("%s: %q", name, got)
		}
	}
	if want := fmt.Sprintf("sb-%d", n); g.kernel.hostname != want {
		g.t.Fatalf("hostname %q, want %q", g.kernel.hostname, want)
	}
}

func TestResumesWithTheSameIdentityAndClonesWithNewOnes(t *testing.T) {
	g := bootGuest(t, process.Options{})
	g.memoryEtc()
	for n := 1; n <= 5; n++ {
		g.expectStatus(g.init(identityOf(n)), 204)
		former := g.token
		g.token = fmt.Sprintf("token %d", n)
		g.expectIdentity(n)
		for resume := 0; resume < 3; resume++ {
			g.quiesce(`{"freeze":true}`)
			again := identityOf(n)
			again["entropy"] = bytes.Repeat([]byte{100 + byte(resume)}, 32)
			again["timestamp"] = time.Date(2030, 1, n, resume, 0, 0, 0, time.UTC)
			again["thaw"] = true
			g.expectStatus(g.init(again), 204)
			g.expectFrozen(false)
			g.expectIdentity(n)
			if !g.kernel.clock.Equal(again["timestamp"].(time.Time)) || g.kernel.entropy[0] != 100+byte(resume) {
				t.Fatalf("clock or entropy is not fresh: %+v", g.kernel)
			}
		}
		if former != "" {
			res := g.do("POST", "/thaw", nil, "X-Access-Token: "+former)
			g.expectRefusal(res, 401, "unauthenticated")
		}
	}
}

func TestInitNeedsNoDisk(t *testing.T) {
	g := bootGuest(t, process.Options{})
	g.memoryEtc()
	g.expectStatus(g.init(identityOf(1)), 204)
	g.token = "token 1"
	g.quiesce(`{"freeze":true}`)
	g.expectStatus(g.init(identityOf(2)), 204)
	g.token = "token 2"
	g.expectFrozen(true)
	g.expectIdentity(2)
}

func TestAnIdentityThatTheGuestHasMovedToTheDisk(t *testing.T) {
	for _, moved := range []string{"a file", "a link"} {
		g := bootGuest(t, process.Options{})
		g.memoryEtc()
		g.expectStatus(g.init(identityOf(1)), 204)
		g.token = "token 1"
		path := filepath.Join(g.etc, "machine-id")
		os.Remove(path)
		if moved == "a link" {
			os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), path)
		}
		if err := os.WriteFile(path, []byte(fmt.Sprintf("%032x\n", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		g.quiesce(`{"freeze":true}`)
		// The same identity: there is nothing to write.
		g.expectStatus(g.init(identityOf(1)), 204)
		g.expectFrozen(true)
		g.expectIdentity(1)
		// A new one cannot be written, and must not wait for a thaw that nobody is going to ask for.
		if body := g.expectStatus(g.init(identityOf(2)), 500); !strings.Contains(body, "machine-id lies on the disk") {
			t.Fatal(body)
		}
		g.expectFrozen(true)
		withThaw := identityOf(2)
		withThaw["thaw"] = true
		g.expectStatus(g.init(withThaw), 204)
		g.expectFrozen(false)
		g.expectIdentity(2)
		g.token = "token 2"
	}
}

func TestAFifoInThePlaceOfTheIdentityIsAnErrorAndNoHang(t *testing.T) {
	g := bootGuest(t, process.Options{})
	memory := g.memoryEtc()
	mkfifo(t, filepath.Join(memory, "machine-id"))
	g.expectRefusal(g.init(identityOf(1)), 500, "internal")
}

func TestAnInitThatCannotThawFails(t *testing.T) {
	g := newGuest(t)
	g.disk.failure = errors.New("FITHAW: input/output error")
	g.expectRefusal(g.init(map[string]any{"accessToken": "new", "thaw": true}), 500, "internal")
	g.quiesce("")
}

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
}
