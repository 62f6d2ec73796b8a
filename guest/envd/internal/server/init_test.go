package server

// Identity and access: /init, the token, /quiesce, and refusals in general.

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wrenn.dev/envd/internal/process"
)

func (g *guest) init(body map[string]any) *http.Response {
	g.t.Helper()
	text, _ := json.Marshal(body)
	return g.do("POST", "/init", bytes.NewReader(text))
}

func TestInitChangesWhoTheGuestIs(t *testing.T) {
	g := bootGuest(t, process.Options{})
	os.WriteFile(filepath.Join(g.etc, "hosts"), []byte("127.0.0.1 localhost\n127.0.1.1 golden\n10.0.0.1 gw\n"), 0o644)
	seed := bytes.Repeat([]byte{7}, 32)
	now := time.Date(2031, 2, 3, 4, 5, 6, 123456789, time.UTC)
	g.expectStatus(g.init(map[string]any{
		"accessToken": "one", "timestamp": now, "entropy": seed, "hostname": "sb-1",
		"machineId": strings.Repeat("a1", 16), "defaultUser": "nobody", "fieldOfTheFuture": true,
	}), 204)
	if !g.kernel.clock.Equal(now) || !bytes.Equal(g.kernel.entropy, seed) || g.kernel.hostname != "sb-1" {
		t.Fatalf("%+v", g.kernel)
	}
	for name, want := range map[string]string{
		"hostname":   "sb-1\n",
		"hosts":      "127.0.0.1 localhost\n127.0.1.1\tsb-1\n10.0.0.1 gw\n",
		"machine-id": strings.Repeat("a1", 16) + "\n",
	} {
		if got, _ := os.ReadFile(filepath.Join(g.etc, name)); string(got) != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	expectOnly(t, g.etc, "hostname", "hosts", "machine-id")
	g.token = "one"
	if r := g.run(sh("id -un").in("cwd", "/")); string(r.stdout) != "nobody\n" {
		t.Fatalf("default user: %q", r.stdout)
	}
}

func TestInitWritesThroughTheLinksOfATemplate(t *testing.T) {
	g := bootGuest(t, process.Options{})
	memory := t.TempDir()
	for _, name := range []string{"hostname", "hosts", "machine-id"} {
		if err := os.Symlink(filepath.Join(memory, name), filepath.Join(g.etc, name)); err != nil {
			t.Fatal(err)
		}
	}
	id := strings.Repeat("a1", 16)
	g.expectStatus(g.init(map[string]any{"accessToken": "one", "hostname": "sb-1", "machineId": id}), 204)
	for name, want := range map[string]string{
		"hostname":   "sb-1\n",
		"hosts":      "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tsb-1\n",
		"machine-id": id + "\n",
	} {
		if got, _ := os.ReadFile(filepath.Join(memory, name)); string(got) != want {
			t.Errorf("%s: %q", name, got)
		}
		if link, _ := os.Readlink(filepath.Join(g.etc, name)); link != filepath.Join(memory, name) {
			t.Errorf("%s is no link any more", name)
		}
	}
}

func TestOnlyTheHolderOfTheTokenMayInitAgain(t *testing.T) {
	g := bootGuest(t, process.Options{})
	g.expectRefusal(g.init(map[string]any{}), 400, "invalid_argument")
	g.expectStatus(g.init(map[string]any{"accessToken": "one"}), 204)
	g.expectRefusal(g.init(map[string]any{"accessToken": "stolen"}), 401, "unauthenticated")
	g.token = "wrong"
	g.expectRefusal(g.init(map[string]any{"accessToken": "stolen"}), 401, "unauthenticated")
	g.token = "one"
	g.expectStatus(g.init(map[string]any{"accessToken": "two"}), 204)
	g.expectRefusal(g.call("process.Process/List", nil), 401, "unauthenticated")
	g.token = "two"
	g.expectStatus(g.call("process.Process/List", map[string]any{}), 200)
}

func TestAnInitThatFailsChangesNoToken(t *testing.T) {
	g := bootGuest(t, process.Options{})
	g.kernel.failure = errors.New("RNDADDENTROPY: operation not permitted")
	seed := bytes.Repeat([]byte{7}, 32)
	g.expectRefusal(g.init(map[string]any{"accessToken": "one", "entropy": seed}), 500, "internal")
	g.token = "one"
	g.expectRefusal(g.call("process.Process/List", map[string]any{}), 401, "unauthenticated")
	g.token = ""
}

func TestAnInvalidInitChangesNothing(t *testing.T) {
	g := newGuest(t)
	for _, body := range []map[string]any{
		{"entropy": base64.StdEncoding.EncodeToString(make([]byte, 31))},
		{"entropy": "not base64!"},
		{"timestamp": "yesterday"},
		{"hostname": "-x"}, {"hostname": "a b"}, {"hostname": strings.Repeat("x", 65)}, {"hostname": "x\n127.0.0.1 evil"},
		{"machineId": "short"},
		{"envVars": map[string]string{"A=B": "x"}},
		{"defaultUser": "nosuchuser"},
	} {
		g.expectRefusal(g.init(body), 400, "invalid_argument")
	}
	if !g.kernel.clock.IsZero() || g.kernel.hostname != "" || g.kernel.entropy != nil {
		t.Fatalf("%+v", g.kernel)
	}
	expectOnly(t, g.etc)
}

// Every route in the table is tried, so that a new one cannot be open by mistake.
func TestEveryRouteButHealthAndInitNeedsTheToken(t *testing.T) {
	s, err := New(Options{System: &kernel{}, Etc: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	g := bootGuest(t, process.Options{})
	refuseAll := func(header string) {
		for path, route := range s.routes {
			for method := range route.methods {
				switch path {
				case "/health":
					g.expectStatus(g.do(method, path, nil, header), 204)
				case "/init":
				default:
					g.expectRefusal(g.do(method, path, nil, header), 401, "unauthenticated")
				}
			}
		}
		g.expectRefusal(g.do("GET", "/no/such/route", nil, header), 401, "unauthenticated")
	}
	refuseAll("X-Access-Token: ")
	refuseAll("X-Access-Token: " + testToken)
	g.expectStatus(g.init(map[string]any{"accessToken": testToken}), 204)
	refuseAll("X-Access-Token: ")
	refuseAll("X-Access-Token: " + testToken + "x")
	g.expectStatus(g.do("GET", "/metrics", nil, "X-Access-Token: "+testToken), 200)
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	g := newGuest(t)
	g.expectRefusal(g.do("GET", "/no/such/route", nil), 404, "not_found")
	g.expectRefusal(g.do("POST", "/process.Process/NoSuchMethod", nil), 404, "not_found")
	res := g.do("DELETE", "/files", nil)
	if res.Header.Get("Allow") != "GET, POST" {
		t.Fatalf("Allow: %q", res.Header.Get("Allow"))
	}
	g.expectRefusal(res, 405, "unimplemented")
	g.expectRefusal(g.do("GET", "/process.Process/List", nil), 405, "unimplemented")
	g.expectRefusal(g.do("POST", "/process.Process/List", strings.NewReader("{}"), "Content-Type: application/proto"), 415, "invalid_argument")
	g.expectRefusal(g.do("POST", "/process.Process/List", strings.NewReader("{"), "Content-Type: application/json"), 400, "invalid_argument")
	g.expectRefusal(g.do("POST", "/process.Process/List", io.LimitReader(zeros{}, 9<<20), "Content-Type: application/json"), 429, "resource_exhausted")
}

func TestBrokenFramesAreRefused(t *testing.T) {
	g := newGuest(t)
	for _, c := range []struct{ body, code string }{
		{"", "invalid_argument"},
		{"\x00\x00", "invalid_argument"},
		{"\x00\x00\x00\x00\x09{}", "invalid_argument"},
		{"\x00\xff\xff\xff\xff{}", "resource_exhausted"},
		{"\x01\x00\x00\x00\x02{}", "unimplemented"},
		{"\x00\x00\x00\x00\x02{]", "invalid_argument"},
		{"\x00\x00\x00\x00\x02{}\x00\x00\x00\x00\x02{}", "invalid_argument"},
		{"\x00\x00\x00\x00\x02{}", "invalid_argument"},
	} {
		for _, method := range []string{"Start", "Connect"} {
			res := g.do("POST", "/process.Process/"+method, strings.NewReader(c.body), "Content-Type: application/connect+json")
			if r := (&eventStream{t: t, body: res.Body}).rest(); r.failure != c.code {
				t.Errorf("%s %q: %q, want %q", method, c.body, r.failure, c.code)
			}
		}
	}
	g.expectRefusal(g.do("POST", "/process.Process/Start", strings.NewReader("{}"), "Content-Type: application/json"), 415, "invalid_argument")
}

func TestQuiesceClosesEveryConnection(t *testing.T) {
	g := newGuest(t)
	s := g.start(sh("exec sleep 60"))
	pid := s.pid()
	idle, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	idle.SetDeadline(time.Now().Add(patience))
	io.WriteString(idle, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
	reader := bufio.NewReader(idle)
	if res, err := http.ReadResponse(reader, nil); err != nil || res.StatusCode != 204 {
		t.Fatal(err)
	}
	res := g.do("POST", "/quiesce", nil)
	if !res.Close {
		t.Fatal("the connection of /quiesce stays open")
	}
	g.expectStatus(res, 204)
	if _, err := s.tryNext(); err == nil {
		t.Fatal("the stream goes on")
	}
	if _, err := reader.ReadByte(); err == nil || os.IsTimeout(err) {
		t.Fatalf("the idle connection is open: %v", err)
	}
	if !alive(pid) {
		t.Fatal("the process was killed")
	}
	if got := g.list(); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
}
