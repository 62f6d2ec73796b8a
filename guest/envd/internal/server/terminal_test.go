package server

// Terminals: what a program on one sees, who gets its output, and how it ends.

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wrenn.dev/envd/internal/process"
)

var quickStall = process.Options{Stall: time.Second}

// terminal is a client's view of one: everything that it has shown.
type terminal struct {
	*eventStream
	g     *guest
	pid   int
	shown []byte
}

func ptySize(cols, rows int) map[string]any {
	return map[string]any{"size": map[string]any{"cols": cols, "rows": rows}}
}

func (g *guest) terminal(c command) *terminal {
	g.t.Helper()
	s := g.start(c.with("pty", ptySize(80, 24)))
	return &terminal{eventStream: s, g: g, pid: s.pid()}
}

// reattach is another client of the same terminal.
func (s *terminal) reattach() *terminal {
	s.t.Helper()
	again := s.g.attach(s.pid)
	if pid := again.pid(); pid != s.pid {
		s.t.Fatalf("attached to %d, not %d", pid, s.pid)
	}
	return &terminal{eventStream: again, g: s.g, pid: s.pid}
}

// shell is an interactive one with a prompt that is easy to wait for.
func (g *guest) shell() *terminal {
	g.t.Helper()
	inputrc := filepath.Join(g.t.TempDir(), "inputrc")
	if err := os.WriteFile(inputrc, []byte("set enable-bracketed-paste off\n"), 0o644); err != nil {
		g.t.Fatal(err)
	}
	s := g.terminal(command{"process": map[string]any{
		"cmd": "bash", "args": []string{"--norc", "--noprofile"},
		"envs": map[string]string{"PS1": "ready> ", "INPUTRC": inputrc}}})
	s.until("ready> ")
	return s
}

func (s *terminal) call(method string, body map[string]any) {
	s.t.Helper()
	body["process"] = map[string]any{"pid": s.pid}
	s.g.expectStatus(s.g.call("process.Process/"+method, body), 200)
}

func (s *terminal) types(text string) {
	s.t.Helper()
	s.call("SendInput", map[string]any{"input": map[string]any{"pty": []byte(text)}})
}

func (s *terminal) signal(name string) {
	s.t.Helper()
	s.call("SendSignal", map[string]any{"signal": name})
}

// until reads until text was shown, and returns what came before it.
func (s *terminal) until(text string) string {
	s.t.Helper()
	for searched := 0; ; {
		if at := bytes.Index(s.shown[searched:], []byte(text)); at >= 0 {
			before := string(s.shown[:searched+at])
			s.shown = s.shown[searched+at+len(text):]
			return before
		}
		if searched = len(s.shown) - len(text); searched < 0 {
			searched = 0
		}
		e := s.next()
		if e.Last || e.Event.End != nil {
			s.t.Fatalf("%+v; the terminal showed %q last, not %q", e, s.shown[searched:], text)
		}
		if e.Event.Data != nil {
			s.shown = append(s.shown, e.Event.Data.Pty...)
		}
	}
}

// does types a command line and waits until the shell is ready again.
func (s *terminal) does(line string) string {
	s.t.Helper()
	s.types(line + "\r")
	s.until("\r\n")
	return s.until("ready> ")
}

// foreground starts a job and waits until the terminal is its own.
func (s *terminal) foreground(job string) {
	s.t.Helper()
	s.types("sh -c 'echo u''p; exec " + job + "'\r")
	s.until("up\r\n")
}

// ends reads to the end.
func (s *terminal) ends(code int) string {
	s.t.Helper()
	r := s.rest()
	if r.end == nil || *r.end.ExitCode != code || r.failure != "" {
		s.t.Fatalf("end %+v, failure %q; want exit code %d", r.end, r.failure, code)
	}
	return string(append(s.shown, r.pty...))
}

func TestATerminalIsATerminal(t *testing.T) {
	s := newGuest(t).terminal(sh(`test -t 0 && test -t 1 && test -t 2 && echo "$TERM $LANG"
		stty size; stty -a | grep -o ' iutf8'; ps -o tty= -p $$; tty; stat -c %U:%a $(tty); exit 3`))
	lines := strings.Split(s.ends(3), "\r\n")
	if len(lines) != 7 || lines[0] != "xterm-256color C.UTF-8" || lines[1] != "24 80" || lines[2] != " iutf8" {
		t.Fatalf("%q", lines)
	}
	if "/dev/"+strings.TrimSpace(lines[3]) != lines[4] || !strings.HasPrefix(lines[5], "root:") {
		t.Fatalf("%q", lines)
	}
}

func TestAResizeIsSeenAndSignalled(t *testing.T) {
	s := newGuest(t).shell()
	if got := s.does("stty size"); got != "24 80\r\n" {
		t.Fatalf("%q", got)
	}
	s.does("trap 'echo resized' WINCH")
	s.call("Update", map[string]any{"pty": ptySize(132, 50)})
	s.until("resized")
	if got := s.does("stty size"); !strings.Contains(got, "50 132\r\n") {
		t.Fatalf("%q", got)
	}
}

func TestControlCInterruptsTheForegroundAndControlDEndsTheShell(t *testing.T) {
	s := newGuest(t).shell()
	s.foreground("sleep 60")
	s.types("\x03")
	s.until("^C")
	s.until("ready> ")
	if got := s.does("echo $?"); got != "130\r\n" {
		t.Fatalf("%q", got)
	}
	s.foreground("sleep 60")
	s.types("\x1a")
	s.until("Stopped")
	s.until("ready> ")
	s.does("kill -KILL %1; (exit 7)")
	s.types("\x04")
	s.ends(7)
}

func TestAHangUpTakesTheJobsOfAShellWithIt(t *testing.T) {
	g := newGuest(t)
	s := g.shell()
	var jobs []int
	for _, job := range []string{"sleep 61 &", "sleep 62 & kill -STOP $!"} {
		s.does(job)
		pid, _, _ := strings.Cut(s.does("echo $!"), "\r\n")
		jobs = append(jobs, pidOf(t, pid))
	}
	s.foreground("sleep 63")
	s.signal("SIGNAL_SIGHUP")
	s.ends(128 + int(syscall.SIGHUP))
	for _, pid := range jobs {
		eventually(t, "the job is gone", func() bool { return !alive(pid) })
	}
}

func TestAKillReachesWhatIgnoresAHangUpAlsoAfterTheShell(t *testing.T) {
	g := newGuest(t)
	s := g.shell()
	s.does("(trap '' HUP TERM; while :; do sleep 0.05; done) &")
	job := pidOf(t, strings.TrimSpace(s.does("echo $!")))
	s.signal("SIGNAL_SIGHUP")
	s.ends(128 + int(syscall.SIGHUP))
	if !alive(job) {
		t.Fatal("the job did not ignore it")
	}
	s.signal("SIGNAL_SIGKILL")
	eventually(t, "the job is gone", func() bool { return !alive(job) })
	eventually(t, "nothing is left", func() bool {
		res := g.call("process.Process/SendSignal", map[string]any{
			"process": map[string]any{"pid": s.pid}, "signal": "SIGNAL_SIGKILL"})
		defer res.Body.Close()
		return res.StatusCode == 404
	})
}

func TestATimeoutKillsAWholeTerminal(t *testing.T) {
	g := newGuest(t)
	c := command{"process": map[string]any{"cmd": "bash", "args": []string{"-ic", "sleep 61 & echo job $!; sleep 62"}}}
	s := g.start(c.with("pty", ptySize(80, 24)), "Connect-Timeout-Ms: 2000")
	term := &terminal{eventStream: s, g: g, pid: s.pid()}
	term.until("job ")
	job := pidOf(t, term.until("\r\n"))
	if r := s.rest(); r.failure != "deadline_exceeded" {
		t.Fatalf("%+v", r)
	}
	eventually(t, "the job is gone", func() bool { return !alive(job) })
}

func TestATerminalEndsThoughABackgroundChildHoldsIt(t *testing.T) {
	g := newGuest(t)
	for _, child := range []string{"sleep 60", "yes"} {
		s := g.terminal(sh("trap '' HUP; " + child + " & head -c 50000 /dev/zero | tr '\\0' x; exit 5"))
		t.Cleanup(func() { syscall.Kill(-s.pid, syscall.SIGKILL) })
		if got := strings.Count(s.ends(5), "x"); got != 50000 {
			t.Fatalf("%s: %d bytes", child, got)
		}
	}
}

func TestTenMegabytesThroughATerminal(t *testing.T) {
	const size = 10 << 20
	s := newGuest(t).terminal(sh(fmt.Sprintf("stty -opost; seq 100000000 | head -c %d", size)))
	var got numbered
	for {
		e := s.next()
		if e.Event.Data == nil {
			break
		}
		got.add(t, e.Event.Data.Pty)
	}
	if got.total != size {
		t.Fatalf("%d bytes", got.total)
	}
}

func TestEveryByteGoesThroughARawTerminal(t *testing.T) {
	g := newGuest(t)
	s := g.terminal(sh("stty raw -echo; echo ready; head -c 1000000; exec sleep 60"))
	s.until("ready")
	all := make([]byte, 1_000_000)
	for i := range all {
		all[i] = byte(i * 7 / 3)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		s.types(string(all))
	}()
	s.shown = bytes.TrimPrefix(s.shown, []byte("\n"))
	var got []byte
	for got = s.shown; len(got) < len(all); {
		if e := s.next(); e.Event.Data != nil {
			got = append(got, e.Event.Data.Pty...)
		}
	}
	<-sent
	if !bytes.Equal(bytes.TrimPrefix(got, []byte("\n")), all) {
		t.Fatalf("%d bytes came back, or others", len(got))
	}
}

func TestEveryClientSeesTheLastOutputAndWhatComes(t *testing.T) {
	first := newGuest(t).shell()
	first.does("echo before")
	second := first.reattach()
	second.until("before\r\n")
	third := first.reattach()
	third.until("before\r\n")
	second.types("echo to all\r")
	for _, s := range []*terminal{first, second, third} {
		s.until("to all\r\nto all\r\n")
	}
	second.body.Close()
	first.types("exit 4\r")
	first.ends(4)
	third.ends(4)
	for i := 0; i < 2; i++ {
		again := first.reattach()
		if text := again.ends(4); !strings.Contains(text, "before\r\n") || !strings.Contains(text, "exit 4\r\n") {
			t.Fatalf("%q", text)
		}
	}
}

func TestWhatIsShownAgainIsBoundedAndBeginsWell(t *testing.T) {
	g := newGuest(t)
	for _, c := range []struct{ name, script, begin string }{
		{"lines", "seq 100000", "89"},
		{"colours", `i=0; while [ $i -lt 4000 ]; do printf '\033[38;5;%dm%s' $i 'some text without a newline, some more'; i=$((i+1)); done`, "\x1b[38;5;"},
		{"characters", `i=0; while [ $i -lt 5000 ]; do printf '%s' 'ööööööööööööööööäääääääääääääääää'; i=$((i+1)); done`, "\u00e4\u00f6"},
	} {
		s := g.terminal(sh(c.script + "; echo the end; exec sleep 60"))
		s.until("the end\r\n")
		s.body.Close()
		again := s.reattach()
		text := again.until("the end\r\n")
		if len(text) > 128<<10 || len(text) < 94<<10 {
			t.Errorf("%s: %d bytes", c.name, len(text))
		}
		if first := []rune(text)[0]; !strings.ContainsRune(c.begin, first) || strings.HasPrefix(text, "\n") {
			t.Errorf("%s: begins with %.20q", c.name, text)
		}
	}
}

func TestAReplayRestoresModesAndAsksNothingAgain(t *testing.T) {
	g := newGuest(t)
	file := filepath.Join(t.TempDir(), "output")
	lines := strings.Repeat("a line of a full-screen program\r\n", 20_000)
	asked := "\x1b[c\x1b[>c\x1b[0;1c\x1b[6n\x1b[?6n\x1b[?2026$p\x1b[>q\x1b[?u\x1b[18t\x1b]11;?\x07\x1b]4;1;?\x1b\\\x1bP$q m\x1b\\\x05"
	shown := "\x1b[2 q\x1b[u\x1b[8;1t\x1b[2;3H\x1b]0;title?\x07\x1b[3m\xff\xfe\u00f6"
	for _, c := range []struct{ name, output, want string }{
		{"modes", "\x1b[?1049h\x1b[?1;2004h\x1b[?25l" + lines, "\x1b[?1h\x1b[?25l\x1b[?1049h\x1b[?2004h"},
		{"modes that were left", "\x1b[?1049h\x1b[?25l" + lines + "\x1b[?25h\x1b[?1049l" + lines, ""},
		{"a reset", "\x1b[?1049h\x1bc\x1b[?2004h" + lines, "\x1b[?2004h"},
		{"queries", asked + shown, shown},
		{"a query among the dropped", asked + lines, ""},
	} {
		if err := os.WriteFile(file, []byte(c.output), 0o644); err != nil {
			t.Fatal(err)
		}
		s := g.terminal(sh("stty -opost; cat " + file + "; printf end-of-it; exec sleep 60"))
		if live := s.until("end-of-it"); live != c.output {
			t.Errorf("%s: %d bytes live, not %d", c.name, len(live), len(c.output))
		}
		again := s.reattach().until("end-of-it")
		if text, _, _ := strings.Cut(again, "a line"); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

func TestATerminalThatNobodyWatchesGoesOn(t *testing.T) {
	s := newGuest(t).terminal(sh(`echo go; seq 300000; echo the end; exec sleep 60`))
	s.until("go")
	s.body.Close()
	again := s.reattach()
	again.until("300000\r\nthe end\r\n")
}

func TestATerminalSurvivesAPause(t *testing.T) {
	s := newGuest(t).shell()
	s.does("echo before the pause")
	s.g.quiesce(`{"freeze":true}`)
	if _, err := s.tryNext(); err == nil {
		t.Fatal("the connection survived")
	}
	s.g.expectStatus(s.g.do("POST", "/init", strings.NewReader(`{"thaw":true}`)), 204)
	again := s.reattach()
	again.until("before the pause\r\nready> ")
	again.does("true")
	if got := again.does("echo $((6*7))"); got != "42\r\n" {
		t.Fatalf("%q", got)
	}
}

func TestWhatATerminalRefuses(t *testing.T) {
	g := newGuest(t)
	for _, pty := range []any{map[string]any{}, ptySize(0, 24), ptySize(80, 0), ptySize(80, 65536)} {
		if r := g.run(sh("true").with("pty", pty)); r.failure != "invalid_argument" {
			t.Errorf("%v: %+v", pty, r)
		}
	}
	terminal := map[string]any{"pid": g.terminal(sh("exec sleep 60")).pid}
	pipes := map[string]any{"pid": g.start(sh("exec sleep 60").with("stdin", true)).pid()}
	for _, c := range []struct {
		method string
		body   map[string]any
		status int
		code   string
	}{
		{"SendInput", map[string]any{"process": terminal, "input": map[string]any{"stdin": []byte("x")}}, 400, "failed_precondition"},
		{"SendInput", map[string]any{"process": pipes, "input": map[string]any{"pty": []byte("x")}}, 400, "failed_precondition"},
		{"SendInput", map[string]any{"process": pipes, "input": map[string]any{"pty": []byte("x"), "stdin": []byte("x")}}, 400, "invalid_argument"},
		{"CloseStdin", map[string]any{"process": terminal}, 400, "failed_precondition"},
		{"Update", map[string]any{"process": terminal}, 400, "invalid_argument"},
		{"Update", map[string]any{"process": terminal, "pty": ptySize(0, 1)}, 400, "invalid_argument"},
		{"Update", map[string]any{"process": pipes, "pty": ptySize(1, 1)}, 400, "failed_precondition"},
		{"Update", map[string]any{"process": map[string]any{"pid": 1}, "pty": ptySize(1, 1)}, 404, "not_found"},
	} {
		g.expectRefusal(g.call("process.Process/"+c.method, c.body), c.status, c.code)
	}
}

func TestATerminalReopensWhatItClosed(t *testing.T) {
	s := newGuest(t).terminal(sh("exec </dev/null >/dev/null 2>&1; sleep 0.2; echo still here >/dev/tty; exit 2"))
	if got := s.ends(2); got != "still here\r\n" {
		t.Fatalf("%q", got)
	}
}

func TestNothingIsLeftOfATerminal(t *testing.T) {
	g := newGuest(t)
	open := func() string {
		r := g.run(command{"process": map[string]any{"cmd": "sh", "args": []string{"-c",
			"ls -l /proc/" + strconv.Itoa(syscall.Getpid()) + "/fd | grep -c ptmx; true"}}})
		return string(r.stdout)
	}
	before := open()
	for i := 0; i < 20; i++ {
		g.terminal(sh("echo x")).ends(0)
	}
	if r := g.run(command{"process": map[string]any{"cmd": "no-such-command"}}.with("pty", ptySize(80, 24))); r.failure != "not_found" {
		t.Fatalf("%+v", r)
	}
	eventually(t, "no terminal is open", func() bool { return open() == before })
}

func TestAClientThatStopsReadingATerminalIsDropped(t *testing.T) {
	g := newGuest(t, quickStall)
	s := g.terminal(sh("seq 2500000; echo the end; exec sleep 60"))
	again := s.reattach()
	// The first one reads nothing: the second waits for it once, and sees the end.
	again.until("2500000\r\nthe end\r\n")
	// It is told why, unless it still reads nothing when the connection's patience ends.
	for {
		e, err := s.tryNext()
		if err != nil {
			return
		}
		if e.Last {
			if e.Failure == nil || e.Failure.Code != "resource_exhausted" {
				t.Fatalf("%+v", e.Failure)
			}
			return
		}
	}
}
