package server

// What a command gets, and what its stream says.

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestAStreamIsStartOutputEnd(t *testing.T) {
	r := newGuest(t).run(sh("echo out; echo err >&2"))
	r.expectExit(t, 0)
	if string(r.stdout) != "out\n" || string(r.stderr) != "err\n" || r.pid == 0 {
		t.Fatalf("%+v", r)
	}
	if !*r.end.Exited || r.end.Status != "exit status 0" || r.end.Error != "" {
		t.Fatalf("%+v", r.end)
	}
}

func TestTheExitCodeIsTheCommands(t *testing.T) {
	r := newGuest(t).run(sh("exit 3"))
	r.expectExit(t, 3)
	if !*r.end.Exited || r.end.Status != "exit status 3" || r.end.Error != "exit status 3" {
		t.Fatalf("%+v", r.end)
	}
}

func TestDeathBySignalIs128PlusN(t *testing.T) {
	r := newGuest(t).run(sh("kill -9 $$"))
	r.expectExit(t, 128+9)
	if *r.end.Exited || r.end.Status != "signal: killed" {
		t.Fatalf("%+v", r.end)
	}
}

func TestTheEnvironmentIsClean(t *testing.T) {
	g := newGuest(t)
	t.Setenv("SECRET_OF_ENVD", "x")
	g.expectStatus(g.do("POST", "/init", strings.NewReader(`{"envVars":{"FROM_INIT":"1","BOTH":"init","PATH":"/bin:/usr/bin"}}`)), 204)
	c := command{"process": map[string]any{"cmd": "env", "envs": map[string]string{"BOTH": "request", "MINE": "ü\n2"}}}
	r := g.run(c)
	r.expectExit(t, 0)
	want := "PATH=/bin:/usr/bin\nHOME=/root\nUSER=root\nLOGNAME=root\nSHELL=/bin/bash\nLANG=C.UTF-8\n" +
		"BOTH=request\nFROM_INIT=1\nMINE=ü\n2\n"
	if string(r.stdout) != want {
		t.Fatalf("got %q, want %q", r.stdout, want)
	}
}

func TestAnInvalidVariableIsRefused(t *testing.T) {
	for _, key := range []string{"", "A=B", "A\x00"} {
		r := newGuest(t).run(sh("true").in("envs", map[string]string{key: "x"}))
		if r.failure != "invalid_argument" {
			t.Errorf("%q: %+v", key, r)
		}
	}
}

func TestACommandRunsAsTheUserOfTheRequest(t *testing.T) {
	g := newGuest(t)
	r := g.run(sh(`id -un; pwd; echo $HOME $USER`).in("cwd", "/"), "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte("nobody:")))
	r.expectExit(t, 0)
	if string(r.stdout) != "nobody\n/\n/nonexistent nobody\n" {
		t.Fatalf("%q", r.stdout)
	}
	for _, header := range []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("nosuchuser:")), "Bearer x"} {
		if r := g.run(sh("true"), "Authorization: "+header); r.failure != "invalid_argument" {
			t.Fatalf("%s: %+v", header, r)
		}
	}
}

func TestTheDefaultFolderIsHome(t *testing.T) {
	g := newGuest(t)
	if r := g.run(sh("pwd")); string(r.stdout) != "/root\n" {
		t.Fatalf("%q", r.stdout)
	}
	dir := t.TempDir()
	if r := g.run(sh("pwd").in("cwd", dir)); string(r.stdout) != dir+"\n" {
		t.Fatalf("%q", r.stdout)
	}
}

func TestAFolderThatIsNoneIsRefusedByName(t *testing.T) {
	g := newGuest(t)
	for _, cwd := range []string{"/no/such/folder", "/etc/passwd"} {
		s := g.start(sh("true").in("cwd", cwd))
		e := s.next()
		if !e.Last || e.Failure == nil || e.Failure.Code != "invalid_argument" || !strings.Contains(e.Failure.Message, cwd) {
			t.Fatalf("%s: %+v", cwd, e)
		}
	}
}

func TestWhatCannotBeExecuted(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	g := newGuest(t)
	for _, c := range []struct {
		name, cmd, code string
	}{
		{"nothing", "", "invalid_argument"},
		{"not in PATH", "no-such-command", "not_found"},
		{"no such file", "/no/such/file", "not_found"},
		{"a folder", dir, "permission_denied"},
		{"not executable", write("plain", "x", 0o644), "permission_denied"},
		{"no executable format", write("garbage", "\x7fELFgarbage", 0o755), "permission_denied"},
		{"empty file", write("empty", "", 0o755), "permission_denied"},
		{"interpreter missing", write("script", "#!/no/such/interpreter\n", 0o755), "not_found"},
		{"NUL", "tr\x00ue", "invalid_argument"},
	} {
		if r := g.run(command{"process": map[string]any{"cmd": c.cmd}}); r.failure != c.code {
			t.Errorf("%s: %q, want %q", c.name, r.failure, c.code)
		}
	}
	write("tool", "#!/bin/sh\necho from the tool\n", 0o755)
	relative := command{"process": map[string]any{"cmd": "./tool", "cwd": dir}}
	if r := g.run(relative); string(r.stdout) != "from the tool\n" {
		t.Errorf("relative to cwd: %+v", r)
	}
	inPath := command{"process": map[string]any{"cmd": "tool", "envs": map[string]string{"PATH": dir}}}
	if r := g.run(inPath); string(r.stdout) != "from the tool\n" {
		t.Errorf("in the request's PATH: %+v", r)
	}
}

func TestManyAndBigArguments(t *testing.T) {
	g := newGuest(t)
	args := make([]string, 1000)
	for i := range args {
		args[i] = strconv.Itoa(i)
	}
	r := g.run(command{"process": map[string]any{"cmd": "echo", "args": args}})
	r.expectExit(t, 0)
	if string(r.stdout) != strings.Join(args, " ")+"\n" {
		t.Fatal("the arguments did not arrive")
	}
	big := strings.Repeat("x", 120<<10)
	r = g.run(command{"process": map[string]any{"cmd": "echo", "args": []string{big, big}}})
	r.expectExit(t, 0)
	if len(r.stdout) != 2*len(big)+2 {
		t.Fatalf("%d bytes", len(r.stdout))
	}
	r = g.run(command{"process": map[string]any{"cmd": "echo", "args": []string{strings.Repeat("x", 3<<20)}}})
	if r.failure != "invalid_argument" {
		t.Fatalf("%+v", r.failure)
	}
	r = g.run(command{"process": map[string]any{"cmd": "echo", "args": []string{"a\x00b"}}})
	if r.failure != "invalid_argument" {
		t.Fatalf("%+v", r.failure)
	}
}

func TestStdinIsNullUnlessAskedFor(t *testing.T) {
	r := newGuest(t).run(sh("cat; readlink /proc/self/fd/0"))
	r.expectExit(t, 0)
	if string(r.stdout) != "/dev/null\n" {
		t.Fatalf("%q", r.stdout)
	}
}

func TestBytesSurviveTheRoundTrip(t *testing.T) {
	g := newGuest(t)
	var all []byte
	for i := 0; i < 256*300; i++ {
		all = append(all, byte(i))
	}
	s := g.start(command{"process": map[string]any{"cmd": "cat"}, "stdin": true, "tag": "cat"})
	pid := s.pid()
	byTag := map[string]any{"tag": "cat"}
	g.expectStatus(g.call("process.Process/SendInput", map[string]any{
		"process": byTag, "input": map[string]any{"stdin": all}}), 200)
	g.expectStatus(g.call("process.Process/CloseStdin", map[string]any{"process": map[string]any{"pid": pid}}), 200)
	r := s.rest()
	r.expectExit(t, 0)
	if !bytes.Equal(r.stdout, all) {
		t.Fatalf("%d bytes came back, or others", len(r.stdout))
	}
}

func TestStreamInputKeepsTheOrder(t *testing.T) {
	g := newGuest(t)
	s := g.start(command{"process": map[string]any{"cmd": "cat"}, "stdin": true})
	pid := strconv.Itoa(s.pid())
	var body bytes.Buffer
	body.Write(frame([]byte(`{"start":{"process":{"pid":` + pid + `}}}`)))
	var want bytes.Buffer
	for i := 0; i < 2000; i++ {
		text := strconv.Itoa(i) + "\n"
		want.WriteString(text)
		body.Write(frame([]byte(`{"data":{"input":{"stdin":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}}}`)))
	}
	body.Write(frame([]byte(`{"keepalive":{}}`)))
	res := g.do("POST", "/process.Process/StreamInput", &body, "Content-Type: application/connect+json")
	if got := g.expectStatus(res, 200); got != string(frame([]byte("{}")))+"\x02\x00\x00\x00\x02{}" {
		t.Fatalf("%q", got)
	}
	g.expectStatus(g.call("process.Process/CloseStdin", map[string]any{"process": map[string]any{"pid": pid}}), 200)
	if r := s.rest(); string(r.stdout) != want.String() {
		t.Fatal("the input was changed")
	}
}

func TestInputThatNobodyTakes(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("exec sleep 60"))
	stdin := map[string]any{"stdin": []byte("x")}
	self := map[string]any{"pid": s.pid()}
	g.expectRefusal(g.call("process.Process/SendInput", map[string]any{"process": self, "input": stdin}), 400, "failed_precondition")
	g.expectRefusal(g.call("process.Process/SendInput", map[string]any{"process": self}), 400, "invalid_argument")
	g.expectRefusal(g.call("process.Process/SendInput", map[string]any{"process": map[string]any{"pid": 1}, "input": stdin}), 404, "not_found")
	g.expectRefusal(g.call("process.Process/SendInput", map[string]any{"input": stdin}), 400, "invalid_argument")
}

func TestACommandInheritsNothingOfEnvd(t *testing.T) {
	g := newGuest(t)
	const script = "ls /proc/self/fd; grep SigIgn /proc/self/status; umask"
	r := g.run(sh(script))
	r.expectExit(t, 0)
	// The test itself may have inherited descriptors: a plain child shows which.
	want, err := exec.Command("sh", "-c", script).Output()
	if err != nil || string(r.stdout) != string(want) || !strings.Contains(string(want), "SigIgn:\t0000000000000000\n") {
		t.Fatalf("%q, want %q, %v", r.stdout, want, err)
	}
}

func TestTwentyCommandsAtOnce(t *testing.T) {
	g := newGuest(t)
	var all sync.WaitGroup
	results := make([]result, 20)
	streams := make([]*eventStream, len(results))
	for i := range results {
		streams[i] = g.start(sh("head -c 200000 /dev/zero | tr '\\0' " + string(rune('a'+i)) + "; exit " + strconv.Itoa(i)))
	}
	for i := range results {
		all.Add(1)
		go func(i int) { defer all.Done(); results[i] = streams[i].rest() }(i)
	}
	all.Wait()
	for i, r := range results {
		r.expectExit(t, i)
		if !bytes.Equal(r.stdout, bytes.Repeat([]byte{byte('a' + i)}, 200000)) {
			t.Errorf("output of command %d: %d bytes, or others", i, len(r.stdout))
		}
	}
}

func TestAFreshUploadCanBeExecutedWhileOthersFork(t *testing.T) {
	g := newGuest(t)
	var all sync.WaitGroup
	stop := make(chan struct{})
	all.Add(1)
	go func() {
		defer all.Done()
		for {
			select {
			case <-stop:
				return
			default:
				g.run(command{"process": map[string]any{"cmd": "true"}})
			}
		}
	}()
	dir := t.TempDir()
	for i := 0; i < 30; i++ {
		path := filepath.Join(dir, strconv.Itoa(i))
		g.expectStatus(g.upload(path, "#!/bin/sh\nexit 7\n"), 200)
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		g.run(command{"process": map[string]any{"cmd": path}}).expectExit(t, 7)
	}
	close(stop)
	all.Wait()
}
