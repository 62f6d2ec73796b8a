package server

// A guest for tests: the real server on a real port, with a kernel that only
// remembers what it was told, and a client that speaks the wire format.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

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

type guest struct {
	t      testing.TB
	url    string
	addr   string
	etc    string
	kernel *kernel
	client *http.Client
	token  string
}

// bootGuest starts a guest that has had no /init yet.
func bootGuest(t testing.TB, options process.Options) *guest {
	t.Helper()
	g := &guest{t: t, etc: t.TempDir(), kernel: &kernel{}, client: &http.Client{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32}}}
	s, err := New(Options{System: g.kernel, Etc: g.etc, Process: options})
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

// command is the body of Start.
type command map[string]any

func sh(script string) command {
	return command{"process": map[string]any{"cmd": "sh", "args": []string{"-c", script}}}
}

func (c command) with(key string, value any) command { c[key] = value; return c }

func (c command) in(key string, value any) command {
	c["process"].(map[string]any)[key] = value
	return c
}

func frame(payload []byte) []byte {
	header := make([]byte, 5)
	binary.BigEndian.PutUint32(header[1:], uint32(len(payload)))
	return append(header, payload...)
}

func (g *guest) stream(method string, body any, headers ...string) *eventStream {
	g.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	res := g.do("POST", "/process.Process/"+method, bytes.NewReader(frame(text)),
		append(headers, "Content-Type: application/connect+json")...)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/connect+json" {
		g.t.Fatalf("%s: status %d, content type %q", method, res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &eventStream{t: g.t, body: res.Body}
}

func (g *guest) start(c command, headers ...string) *eventStream {
	g.t.Helper()
	return g.stream("Start", c, headers...)
}

func (g *guest) run(c command, headers ...string) result {
	g.t.Helper()
	return g.start(c, headers...).rest()
}

func (g *guest) attach(pid int, headers ...string) *eventStream {
	g.t.Helper()
	return g.stream("Connect", map[string]any{"process": map[string]any{"pid": pid}}, headers...)
}

// event is one message of a stream; Last and Failure are set on the last one.
type event struct {
	Event struct {
		Start     *struct{ PID int }
		Data      *struct{ Stdout, Stderr []byte }
		Keepalive *struct{}
		End       *ending
	}
	Failure *struct{ Code, Message string } `json:"error"`
	Last    bool                            `json:"-"`
}

type ending struct {
	ExitCode *int
	Exited   *bool
	Status   string
	Error    string
}

type eventStream struct {
	t    testing.TB
	body io.ReadCloser
}

var errBroken = errors.New("the stream broke off")

func (s *eventStream) tryNext() (event, error) {
	var header [5]byte
	if _, err := io.ReadFull(s.body, header[:]); err != nil {
		return event{}, errBroken
	}
	payload := make([]byte, binary.BigEndian.Uint32(header[1:]))
	if _, err := io.ReadFull(s.body, payload); err != nil {
		return event{}, errBroken
	}
	e := event{Last: header[0] == 2}
	if err := json.Unmarshal(payload, &e); err != nil {
		s.t.Fatalf("message %q: %v", payload, err)
	}
	return e, nil
}

func (s *eventStream) next() event {
	s.t.Helper()
	timer := time.AfterFunc(patience, func() { s.body.Close() })
	defer timer.Stop()
	e, err := s.tryNext()
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// pid reads the start event.
func (s *eventStream) pid() int {
	s.t.Helper()
	e := s.next()
	if e.Event.Start == nil || e.Event.Start.PID <= 0 {
		s.t.Fatalf("first event %+v, want start", e)
	}
	return e.Event.Start.PID
}

// line reads output up to a newline.
func (s *eventStream) line() string {
	s.t.Helper()
	var text []byte
	for !bytes.HasSuffix(text, []byte("\n")) {
		if e := s.next(); e.Event.Data != nil {
			text = append(text, e.Event.Data.Stdout...)
		} else if e.Last {
			s.t.Fatalf("the stream ended after %.200q", text)
		}
	}
	return strings.TrimSpace(string(text))
}

// result is what a whole stream said.
type result struct {
	pid            int
	stdout, stderr []byte
	end            *ending
	failure        string
	keepalives     int
}

func (s *eventStream) rest() result {
	s.t.Helper()
	var r result
	for {
		e := s.next()
		switch {
		case e.Last:
			if e.Failure != nil {
				r.failure = e.Failure.Code
			}
			if _, err := s.body.Read(make([]byte, 1)); err != io.EOF {
				s.t.Fatal("bytes after the last message")
			}
			return r
		case r.end != nil:
			s.t.Fatalf("event after the end: %+v", e)
		case e.Event.Start != nil:
			r.pid = e.Event.Start.PID
		case e.Event.Data != nil:
			r.stdout = append(r.stdout, e.Event.Data.Stdout...)
			r.stderr = append(r.stderr, e.Event.Data.Stderr...)
		case e.Event.Keepalive != nil:
			r.keepalives++
		case e.Event.End != nil:
			r.end = e.Event.End
		}
	}
}

func (r result) expectExit(t *testing.T, code int) {
	t.Helper()
	if r.end == nil || r.end.ExitCode == nil || *r.end.ExitCode != code || r.failure != "" {
		t.Fatalf("end %+v, failure %q, stderr %q; want exit code %d", r.end, r.failure, r.stderr, code)
	}
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
