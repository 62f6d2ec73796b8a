package freeze

// The promises of Disk, on a filesystem that blocks on command. The real one is
// tried in a VM: freezing a disk of this machine could stop the test itself.

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

const patience = 10 * time.Second

// slow is a filesystem; a gate that is not nil holds up its calls until it is closed.
type slow struct {
	mu      sync.Mutex
	frozen  bool
	failure error
	gate    chan struct{}
}

func (s *slow) set(frozen bool) error {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return s.failure
	}
	s.frozen = frozen
	return nil
}

func (s *slow) Freeze() error { return s.set(true) }
func (s *slow) Thaw() error   { return s.set(false) }

func (s *slow) isFrozen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frozen
}

func expect(t *testing.T, d *Disk, s *slow, frozen bool) {
	t.Helper()
	if s.isFrozen() != frozen || d.Frozen() != frozen {
		t.Fatalf("frozen: %v, known: %v, want %v", s.isFrozen(), d.Frozen(), frozen)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func TestFreezeAndThawMayBeRepeated(t *testing.T) {
	s := &slow{}
	d := New(Options{Filesystem: s})
	ctx := context.Background()
	ok(t, d.Thaw(ctx))
	for i := 0; i < 3; i++ {
		ok(t, d.Freeze(ctx))
		ok(t, d.Freeze(ctx))
		expect(t, d, s, true)
		ok(t, d.Thaw(ctx))
		ok(t, d.Thaw(ctx))
		expect(t, d, s, false)
	}
}

func TestADiskInMemoryNeedsNoFreeze(t *testing.T) {
	d := New(Options{})
	ok(t, d.Freeze(context.Background()))
	ok(t, d.Thaw(context.Background()))
	if d.Frozen() {
		t.Fatal("frozen")
	}
}

func TestAFailureIsToldAndNothingIsFrozen(t *testing.T) {
	s := &slow{failure: errors.New("no such luck")}
	d := New(Options{Filesystem: s})
	if err := d.Freeze(context.Background()); err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Fatal(err)
	}
	expect(t, d, s, false)
}

func TestAFreezeThatTakesTooLongIsAnErrorAndIsUndoneWhenItComes(t *testing.T) {
	s := &slow{gate: make(chan struct{})}
	d := New(Options{Filesystem: s, Limit: 20 * time.Millisecond})
	if err := d.Freeze(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	// Others do not hang either.
	if err := d.Thaw(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	close(s.gate)
	eventually(t, "the kernel is done", func() bool { return len(d.turn) == 0 })
	expect(t, d, s, false)
}

func TestACallerWhoGoesAwayLeavesNothingFrozen(t *testing.T) {
	s := &slow{gate: make(chan struct{})}
	d := New(Options{Filesystem: s})
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error)
	go func() { failed <- d.Freeze(ctx) }()
	eventually(t, "the kernel is at it", func() bool { return len(d.turn) == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(s.gate)
	ok(t, d.Thaw(context.Background()))
	expect(t, d, s, false)
}

// Whoever is told of a success finds it frozen, whoever is told of an error does not.
func TestALimitAtTheVeryMomentOfTheSuccess(t *testing.T) {
	for i := 0; i < 500; i++ {
		s := &slow{gate: make(chan struct{})}
		d := New(Options{Filesystem: s})
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error)
		go func() { result <- d.Freeze(ctx) }()
		eventually(t, "the kernel is at it", func() bool { return len(d.turn) == 1 })
		go cancel()
		close(s.gate)
		err := <-result
		eventually(t, "the kernel is done", func() bool { return len(d.turn) == 0 })
		expect(t, d, s, err == nil)
	}
}

func TestAForgottenFreezeEndsByItself(t *testing.T) {
	s := &slow{}
	d := New(Options{Filesystem: s, Longest: 10 * time.Millisecond})
	ok(t, d.Freeze(context.Background()))
	eventually(t, "it thaws", func() bool { return !s.isFrozen() && !d.Frozen() })
}

func TestTheEndOfAForgottenFreezeSparesALaterOne(t *testing.T) {
	s := &slow{}
	d := New(Options{Filesystem: s})
	ok(t, d.Freeze(context.Background()))
	ok(t, d.Thaw(context.Background()))
	ok(t, d.Freeze(context.Background()))
	d.thawForgotten(1)
	expect(t, d, s, true)
	d.thawForgotten(2)
	expect(t, d, s, false)
}

func TestADescriptorThatIsNotThereIsAnError(t *testing.T) {
	if _, err := Inherited(999); err == nil {
		t.Fatal("it was taken")
	}
	// A filesystem that the kernel cannot freeze says so, and is not frozen.
	memory, err := os.Open("/proc")
	ok(t, err)
	defer memory.Close()
	m, err := Inherited(int(memory.Fd()))
	ok(t, err)
	if err := m.Freeze(); err == nil {
		t.Fatal("/proc was frozen")
	}
	ok(t, m.Thaw())
}
