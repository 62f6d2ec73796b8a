package server

// A guest for tests: the real server on a real port, with a kernel that only
// remembers what it was told, and a client that speaks the wire format.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"wrenn.dev/envd/internal/freeze"
	"wrenn.dev/envd/internal/process"
)

const (
	testToken = "the-sandbox-token"
	patience  = 20 * time.Second
)

func TestMain(m *testing.M) {
	if os.Getuid() != 0 {
		fmt.Fprintln(os.Stderr, "these tests switch users and mount filesystems: run them as root")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// kernel stands in for the machine's.
type kernel struct {
	mu       sync.Mutex
	clock    time.Time
	entropy  []byte
	hostname string
	failure  error
}

func (k *kernel) SetClock(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clock = now
	return nil
}

func (k *kernel) AddEntropy(seed []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entropy = seed
	return k.failure
}

func (k *kernel) SetHostname(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hostname = name
	return nil
}

// disk stands in for the sandbox's.
type disk struct {
	mu      sync.Mutex
	frozen  bool
	failure error
}

func (d *disk) Freeze() error { return d.set(true) }
func (d *disk) Thaw() error   { return d.set(false) }

func (d *disk) set(frozen bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure == nil {
		d.frozen = frozen
	}
	return d.failure
}

func (d *disk) isFrozen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.frozen
}

type guest struct {
	t      testing.TB
	url    string
	addr   string
	etc    string
	kernel *kernel
	disk   *disk
	client *http.Client
	token  string
}

// bootGuest starts a guest that has had no /init yet.
func bootGuest(t testing.TB, options process.Options) *guest {
	t.Helper()
	g := &guest{t: t, etc: t.TempDir(), kernel: &kernel{}, disk: &disk{}, client: &http.Client{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32}}}
	s, err := New(Options{
		System: g.kernel, Etc: g.etc, Process: options, Disk: freeze.New(freeze.Options{Filesystem: g.disk}),
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(listener)
	g.addr = listener.Addr().String()
	g.url = "http://" + g.addr
	t.Cleanup(func() {
		g.killAll()
		g.client.CloseIdleConnections()
		s.Close()
	})
	return g
}

// newGuest starts a guest that is ready for clients.
func newGuest(t testing.TB, options ...process.Options) *guest {
	t.Helper()
	options = append(options, process.Options{})
	g := bootGuest(t, options[0])
	res := g.do("POST", "/init", strings.NewReader(`{"accessToken":"`+testToken+`"}`))
	g.expectStatus(res, http.StatusNoContent)
	g.token = testToken
	return g
}

func (g *guest) killAll() {
	for _, p := range g.list() {
		g.call("process.Process/SendSignal", map[string]any{
			"process": map[string]any{"pid": p.PID}, "signal": "SIGNAL_SIGKILL"})
	}
}

// do sends one request; headers are "Name: value".
func (g *guest) do(method, path string, body io.Reader, headers ...string) *http.Response {
	g.t.Helper()
	req, err := http.NewRequest(method, g.url+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	if g.token != "" {
		req.Header.Set("X-Access-Token", g.token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
	}
	res, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { res.Body.Close() })
	return res
}

func (g *guest) expectStatus(res *http.Response, status int) string {
	g.t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	if res.StatusCode != status {
		g.t.Fatalf("%s %s: status %d, want %d: %s", res.Request.Method, res.Request.URL, res.StatusCode, status, body)
	}
	return string(body)
}

// expectRefusal checks status and code of an error.
func (g *guest) expectRefusal(res *http.Response, status int, code string) {
	g.t.Helper()
	var refusal struct{ Code, Message string }
	body := g.expectStatus(res, status)
	if err := json.Unmarshal([]byte(body), &refusal); err != nil || refusal.Code != code || refusal.Message == "" {
		g.t.Fatalf("error body %s, want code %s and a message", body, code)
	}
}

// call makes a unary call.
func (g *guest) call(method string, body any, headers ...string) *http.Response {
	g.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.do("POST", "/"+method, bytes.NewReader(text), append(headers, "Content-Type: application/json")...)
}

type listed struct {
	PID    int
	Tag    string
	Config process.Config
}

func (g *guest) list() []listed {
	g.t.Helper()
	if g.token == "" {
		return nil
	}
	var res struct{ Processes []listed }
	body := g.expectStatus(g.call("process.Process/List", map[string]any{}), 200)
	if err := json.Unmarshal([]byte(body), &res); err != nil {
		g.t.Fatal(err)
	}
	return res.Processes
}

// eventually polls until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// alive tells whether the process exists and is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z'
}
