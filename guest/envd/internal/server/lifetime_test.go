package server

// How processes end: by themselves, by a signal, by a timeout, and never because
// a client went away.

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wrenn.dev/envd/internal/process"
)

func pidOf(t *testing.T, text string) int {
	t.Helper()
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

func TestTheEndComesWhenTheCommandExitsAndItsBackgroundLivesOn(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("sleep 60 & echo $!"))
	child := pidOf(t, s.line())
	s.rest().expectExit(t, 0)
	if !alive(child) {
		t.Fatal("the background child died")
	}
}

func TestABackgroundChildMayWriteAfterTheEnd(t *testing.T) {
	g := newGuest(t)
	dir := t.TempDir()
	script := fmt.Sprintf(`(while [ ! -e %[1]s/go ]; do sleep 0.01; done
		head -c 300000 /dev/zero; echo late >&2; echo $? >%[1]s/done) & echo $!`, dir)
	s := g.start(sh(script))
	pidOf(t, s.line())
	s.rest().expectExit(t, 0)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child writes without SIGPIPE", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "done"))
		return string(text) == "0\n"
	})
}

func TestAChattyBackgroundChildDoesNotKeepTheEndAway(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("yes & exit 4"))
	group := s.pid()
	t.Cleanup(func() { syscall.Kill(-group, syscall.SIGKILL) })
	s.rest().expectExit(t, 4)
}

func TestNothingWrittenBeforeTheExitIsLost(t *testing.T) {
	g := newGuest(t)
	file := filepath.Join(t.TempDir(), "pid")
	for i := 0; i < 10; i++ {
		r := g.run(sh("sleep 60 & echo $! >" + file + "; head -c 65000 /dev/zero; head -c 60000 /dev/zero >&2"))
		r.expectExit(t, 0)
		pid, _ := os.ReadFile(file)
		pidOf(t, strings.TrimSpace(string(pid)))
		if len(r.stdout) != 65000 || len(r.stderr) != 60000 {
			t.Fatalf("%d bytes of stdout, %d of stderr", len(r.stdout), len(r.stderr))
		}
	}
}

func TestATimeoutKillsTheWholeGroupAfterTheOutputSoFar(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("sh -c 'sleep 60 & echo $!; wait' & wait"), "Connect-Timeout-Ms: 300")
	pid := s.pid()
	grandchild := pidOf(t, s.line())
	r := s.rest()
	if r.failure != "deadline_exceeded" || r.end != nil {
		t.Fatalf("%+v", r)
	}
	eventually(t, "the grandchild is gone", func() bool { return !alive(grandchild) && !alive(pid) })
}

func TestATimeoutOfAConnectEndsOnlyTheStream(t *testing.T) {
	g := newGuest(t)
	pid := g.start(sh("exec sleep 60")).pid()
	if r := g.attach(pid, "Connect-Timeout-Ms: 50").rest(); r.failure != "deadline_exceeded" {
		t.Fatalf("%+v", r)
	}
	if !alive(pid) {
		t.Fatal("the process was killed")
	}
}

func TestAnInvalidTimeoutIsRefused(t *testing.T) {
	for _, value := range []string{"soon", "-1", "12345678901"} {
		if r := newGuest(t).run(sh("true"), "Connect-Timeout-Ms: "+value); r.failure != "invalid_argument" {
			t.Errorf("%s: %+v", value, r)
		}
	}
}

func TestASignalReachesTheGroup(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("sleep 60 & echo $!; wait"))
	pid := s.pid()
	child := pidOf(t, s.line())
	self := map[string]any{"pid": pid}
	g.expectStatus(g.call("process.Process/SendSignal", map[string]any{"process": self, "signal": "SIGNAL_SIGTERM"}), 200)
	r := s.rest()
	r.expectExit(t, 128+15)
	eventually(t, "the child is gone", func() bool { return !alive(child) })
	g.expectRefusal(g.call("process.Process/SendSignal", map[string]any{"process": self, "signal": "SIGNAL_SIGKILL"}), 404, "not_found")
	g.expectRefusal(g.call("process.Process/SendSignal", map[string]any{"process": map[string]any{"tag": "x"}, "signal": 9}), 404, "not_found")
	g.expectRefusal(g.call("process.Process/SendSignal", map[string]any{"process": self, "signal": "SIGNAL_SIGUSR1"}), 400, "invalid_argument")
	g.expectRefusal(g.call("process.Process/SendSignal", map[string]any{"process": self}), 400, "invalid_argument")
}

func TestAClientGoingAwayDoesNotKill(t *testing.T) {
	g := newGuest(t)
	done := filepath.Join(t.TempDir(), "done")
	s := g.start(sh("echo here; sleep 0.2; echo more; echo x >" + done))
	s.line()
	s.body.Close()
	eventually(t, "the command finishes", func() bool { return exists(done) })
}

func TestListShowsWhatRuns(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("exec sleep 60").with("tag", "nap").in("cwd", "/tmp").in("envs", map[string]string{"A": "b"}))
	pid := s.pid()
	got := g.list()
	if len(got) != 1 || got[0].PID != pid || got[0].Tag != "nap" || got[0].Config.Cmd != "sh" ||
		got[0].Config.Args[1] != "exec sleep 60" || got[0].Config.Cwd != "/tmp" || got[0].Config.Envs["A"] != "b" {
		t.Fatalf("%+v", got)
	}
	g.killAll()
	s.rest().expectExit(t, 137)
	if got := g.list(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestAnExitStaysKnownForTenMinutes(t *testing.T) {
	var offset atomic.Int64
	g := newGuest(t, process.Options{Now: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
	first := g.run(sh("exit 5").with("tag", "five"))
	first.expectExit(t, 5)
	again := g.attach(first.pid).rest()
	again.expectExit(t, 5)
	if again.pid != first.pid || len(again.stdout) != 0 {
		t.Fatalf("%+v", again)
	}
	byTag := g.stream("Connect", map[string]any{"process": map[string]any{"tag": "five"}}).rest()
	byTag.expectExit(t, 5)
	offset.Store(int64(9 * time.Minute))
	g.attach(first.pid).rest().expectExit(t, 5)
	offset.Store(int64(11 * time.Minute))
	if r := g.attach(first.pid).rest(); r.failure != "not_found" {
		t.Fatalf("%+v", r)
	}
}

func TestSilenceIsFilledWithKeepalives(t *testing.T) {
	g := newGuest(t, process.Options{Keepalive: 20 * time.Millisecond})
	s := g.start(sh("exec sleep 60"))
	s.pid()
	for i := 0; i < 3; i++ {
		if e := s.next(); e.Event.Keepalive == nil {
			t.Fatalf("%+v", e)
		}
	}
	quiet := newGuest(t)
	begun := time.Now()
	s = quiet.start(sh("exec sleep 60"), "Keepalive-Ping-Interval: 1")
	s.pid()
	if e := s.next(); e.Event.Keepalive == nil || time.Since(begun) < 900*time.Millisecond {
		t.Fatalf("%+v after %s", e, time.Since(begun))
	}
}
