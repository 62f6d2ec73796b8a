package server

// The client's side of event streams.

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

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
	return g.open("/process.Process/"+method, body, headers...)
}

// open begins a server stream.
func (g *guest) open(path string, body any, headers ...string) *eventStream {
	g.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	res := g.do("POST", path, bytes.NewReader(frame(text)),
		append(headers, "Content-Type: application/connect+json")...)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/connect+json" {
		g.t.Fatalf("%s: status %d, content type %q", path, res.StatusCode, res.Header.Get("Content-Type"))
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
		Data      *struct{ Stdout, Stderr, Pty []byte }
		Keepalive *struct{}
		End       *ending
	}
	// Of WatchDir, in the place of Event.
	Start      *struct{}
	Filesystem *change
	Keepalive  *struct{}

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
	pty            []byte
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
			r.pty = append(r.pty, e.Event.Data.Pty...)
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
