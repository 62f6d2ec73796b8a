package server

// Output under load: bounded memory, back-pressure, and readers that stop.

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"wrenn.dev/envd/internal/process"
)

// beyondSockets is more than the sockets between server and client hold.
const beyondSockets = 20 << 20

// heavy writes size bytes of numbered lines, then makes the file done.
func heavy(size int, done string) string {
	return fmt.Sprintf("seq 100000000 | head -c %d; echo x >%s", size, done)
}

// numbered checks that chunks, put together, are what heavy writes.
type numbered struct {
	line  []byte
	next  int
	total int
}

func (n *numbered) add(t *testing.T, chunk []byte) {
	t.Helper()
	n.total += len(chunk)
	n.line = append(n.line, chunk...)
	for {
		end := bytes.IndexByte(n.line, '\n')
		if end < 0 {
			return
		}
		n.next++
		if got := string(n.line[:end]); got != fmt.Sprint(n.next) {
			t.Fatalf("line %d is %q", n.next, got)
		}
		n.line = n.line[end+1:]
	}
}

func heapBytes() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestASlowReaderSlowsTheProcessAndMemoryStaysBounded(t *testing.T) {
	const size = 50 << 20
	g := newGuest(t)
	done := filepath.Join(t.TempDir(), "done")
	runtime.GC()
	before := heapBytes()
	s := g.start(sh(heavy(size, done)))
	s.pid()
	var got numbered
	var peak uint64
	for got.total < size {
		e := s.next()
		if e.Event.Data == nil {
			t.Fatalf("%+v after %d bytes", e, got.total)
		}
		got.add(t, e.Event.Data.Stdout)
		if got.total < size/2 && exists(done) {
			t.Fatal("the process did not wait for its reader")
		}
		if now := heapBytes(); now > peak {
			peak = now
		}
	}
	s.rest().expectExit(t, 0)
	if peak > before+24<<20 {
		t.Fatalf("the heap grew from %d to %d MiB", before>>20, peak>>20)
	}
}

func TestAReaderThatStopsIsDroppedAndTheProcessGoesOn(t *testing.T) {
	g := newGuest(t, process.Options{Stall: time.Second})
	done := filepath.Join(t.TempDir(), "done")
	s := g.start(sh(heavy(beyondSockets, done)))
	s.pid()
	eventually(t, "the process finishes without its reader", func() bool { return exists(done) })
	r := s.rest()
	if r.failure != "resource_exhausted" || r.end != nil {
		t.Fatalf("%+v, failure %q", r.end, r.failure)
	}
	var got numbered
	got.add(t, r.stdout)
}

func TestAReaderThatIsWaitedForMayStopForLongerThanTheStall(t *testing.T) {
	g := newGuest(t, process.Options{Stall: time.Second})
	done, later := filepath.Join(t.TempDir(), "done"), filepath.Join(t.TempDir(), "later")
	s := g.start(sh(heavy(beyondSockets, done)), "Wait-For-Reader: connected")
	s.pid()
	// A reader that stops after this one and is not waited for: once it was dropped, the stall is over for both.
	other := g.start(sh(heavy(beyondSockets, later)))
	other.pid()
	eventually(t, "the stall is over", func() bool { return exists(later) })
	if exists(done) {
		t.Fatal("the process did not wait for its reader")
	}
	var got numbered
	for got.total < beyondSockets {
		got.add(t, s.next().Event.Data.Stdout)
	}
	s.rest().expectExit(t, 0)
}

func TestAReaderThatIsWaitedForMayLeave(t *testing.T) {
	g := newGuest(t)
	done := filepath.Join(t.TempDir(), "done")
	s := g.start(sh(heavy(beyondSockets, done)), "Wait-For-Reader: connected")
	s.pid()
	s.body.Close()
	eventually(t, "the process finishes without its reader", func() bool { return exists(done) })
}

func TestASecondReaderThatStopsDoesNotHoldTheFirst(t *testing.T) {
	g := newGuest(t)
	done := filepath.Join(t.TempDir(), "done")
	gate := filepath.Join(t.TempDir(), "gate")
	first := g.start(sh("while [ ! -e " + gate + " ]; do sleep 0.01; done; " + heavy(beyondSockets, done)))
	second := g.attach(first.pid())
	second.pid()
	g.expectStatus(g.upload(gate, ""), 200)
	var got numbered
	for got.total < beyondSockets {
		got.add(t, first.next().Event.Data.Stdout)
	}
	first.rest().expectExit(t, 0)
	var late numbered
	for {
		e := second.next()
		if e.Last {
			if e.Failure == nil || e.Failure.Code != "resource_exhausted" {
				t.Fatalf("%+v", e)
			}
			return
		}
		late.add(t, e.Event.Data.Stdout)
	}
}

func TestAConnectedReaderSeesWhatComes(t *testing.T) {
	g := newGuest(t)
	gate := filepath.Join(t.TempDir(), "gate")
	first := g.start(sh("while [ ! -e " + gate + " ]; do sleep 0.01; done; seq 1000; exit 6"))
	second := g.attach(first.pid())
	second.pid()
	g.expectStatus(g.upload(gate, ""), 200)
	one, two := first.rest(), second.rest()
	one.expectExit(t, 6)
	two.expectExit(t, 6)
	if !bytes.Equal(one.stdout, two.stdout) || !bytes.HasSuffix(two.stdout, []byte("\n1000\n")) {
		t.Fatalf("%d and %d bytes", len(one.stdout), len(two.stdout))
	}
}

func TestUnreadOutputIsBoundedAndItsTailIsKept(t *testing.T) {
	g := newGuest(t)
	done := filepath.Join(t.TempDir(), "done")
	s := g.start(sh("echo here; sleep 0.2; seq 1000000; echo x >" + done))
	pid := s.pid()
	s.line()
	s.body.Close()
	eventually(t, "the process finishes with no reader", func() bool { return exists(done) })
	r := g.attach(pid).rest()
	r.expectExit(t, 0)
	if len(r.stdout) == 0 || len(r.stdout) > 256<<10 || !strings.HasSuffix(string(r.stdout), "\n999999\n1000000\n") {
		t.Fatalf("%d bytes, ending in %q", len(r.stdout), r.stdout[len(r.stdout)-20:])
	}
	if again := g.attach(pid).rest(); len(again.stdout) != 0 {
		t.Fatalf("the same output was given twice: %d bytes", len(again.stdout))
	}
}
