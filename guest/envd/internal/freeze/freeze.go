// Package freeze stops all writing to the sandbox's disk for the moment of a
// snapshot. The kernel does it, and may take as long as the guest's processes
// please: every wait here has a limit, and a freeze that comes after its caller
// has given up is undone at once.
package freeze

import (
	"context"
	"errors"
	"log"
	"sync"
	"time"

	"wrenn.dev/envd/internal/fault"
)

// Filesystem is what can be frozen. Both calls may block for any time. Freezing
// what is frozen and thawing what is not are no errors.
type Filesystem interface {
	Freeze() error
	Thaw() error
}

// Options are a disk and its limits; New fills in what is zero.
type Options struct {
	// Filesystem is nil where the root is in memory: nothing is to be frozen then.
	Filesystem Filesystem
	// Limit is the longest wait of a call. A freeze syncs first.
	Limit time.Duration
	// Longest is how long a freeze lasts at most while the guest runs: a host that
	// died between freeze and snapshot must not leave the guest unable to write.
	Longest time.Duration
}

// Disk is frozen or not.
type Disk struct {
	options Options
	// turn is held by the one call that is in the kernel.
	turn chan struct{}

	mu     sync.Mutex
	frozen bool
	// freezes counts the successful ones, forgotten ends the last of them.
	freezes   int
	forgotten *time.Timer
}

// New makes a disk that is not frozen.
func New(options Options) *Disk {
	if options.Limit == 0 {
		options.Limit = 30 * time.Second
	}
	if options.Longest == 0 {
		options.Longest = time.Minute
	}
	return &Disk{options: options, turn: make(chan struct{}, 1)}
}

// Frozen tells whether this process has frozen the disk.
func (d *Disk) Frozen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.frozen
}

// Freeze syncs the disk and then holds back whatever writes to it. After an error
// it is not frozen, or is thawed as soon as the kernel lets go of it.
func (d *Disk) Freeze(ctx context.Context) error {
	if d.options.Filesystem == nil {
		return nil
	}
	return d.call(ctx, operation{
		what:   "freezing the disk",
		act:    d.options.Filesystem.Freeze,
		settle: d.nowFrozen,
		undo:   d.options.Filesystem.Thaw,
	})
}

// Thaw lets writers go on.
func (d *Disk) Thaw(ctx context.Context) error {
	if d.options.Filesystem == nil {
		return nil
	}
	return d.call(ctx, operation{what: "thawing the disk", act: d.options.Filesystem.Thaw, settle: d.nowThawed})
}

func (d *Disk) nowFrozen() {
	d.nowThawed()
	d.frozen = true
	d.freezes++
	freeze := d.freezes
	d.forgotten = time.AfterFunc(d.options.Longest, func() { d.thawForgotten(freeze) })
}

func (d *Disk) nowThawed() {
	d.frozen = false
	if d.forgotten != nil {
		d.forgotten.Stop()
	}
}

// thawForgotten ends this freeze, and no later one.
func (d *Disk) thawForgotten(freeze int) {
	thaw := func() error {
		d.mu.Lock()
		isLater := d.freezes != freeze
		d.mu.Unlock()
		if isLater {
			return errLater
		}
		return d.options.Filesystem.Thaw()
	}
	err := d.call(context.Background(), operation{what: "thawing the disk", act: thaw, settle: d.nowThawed})
	if !errors.Is(err, errLater) {
		log.Printf("op=thaw reason=%q error=%v", "nobody did for "+d.options.Longest.String(), err)
	}
}

var errLater = errors.New("it has been frozen again")

// operation is a change of the disk.
type operation struct {
	what string
	act  func() error
	// settle notes a success, under the lock.
	settle func()
	// undo is for a success that comes when nobody waits for it any more; without
	// one the success counts all the same.
	undo func() error
}

// attempt is guarded by the disk's lock.
type attempt struct{ settled, abandoned bool }

// call runs op, which the kernel may hold up for ever, in another goroutine.
func (d *Disk) call(ctx context.Context, op operation) error {
	ctx, cancel := context.WithTimeout(ctx, d.options.Limit)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(fault.Internal, ctx.Err(), "%s", op.what)
	}
	var a attempt
	done := make(chan error, 1)
	go func() {
		defer func() { <-d.turn }()
		done <- d.run(op, &a)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		d.mu.Lock()
		a.abandoned = !a.settled
		d.mu.Unlock()
		if a.abandoned {
			err = ctx.Err()
		}
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "%s", op.what)
	}
	return nil
}

func (d *Disk) run(op operation, a *attempt) error {
	if err := op.act(); err != nil {
		return err
	}
	d.mu.Lock()
	a.settled = !a.abandoned || op.undo == nil
	if a.settled {
		op.settle()
	}
	d.mu.Unlock()
	if a.settled {
		return nil
	}
	err := op.undo()
	log.Printf("op=%q outcome=undone error=%v", op.what, err)
	return err
}
