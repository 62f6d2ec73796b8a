// Package process runs commands. A Process lives apart from the requests that
// look at it: its output goes to the subscribers of its hub, it survives them,
// and its end is remembered for a while.
//
// One goroutine waits for a process, and one pumps each of its outputs. The last of them to finish announces the end, so that no output follows
// it and none is missing.
package process

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"wrenn.dev/envd/internal/fault"
)

// Config is what the client asked for; List shows it.
type Config struct {
	Cmd  string            `json:"cmd"`
	Args []string          `json:"args,omitempty"`
	Envs map[string]string `json:"envs,omitempty"`
	Cwd  string            `json:"cwd,omitempty"`
}

// Process is a started command.
type Process struct {
	PID    int
	Tag    string
	Config Config

	hub      *hub
	stdin    *stdin
	terminal bool
	// ended is closed when the process has exited and its output is published.
	ended   chan struct{}
	endedAt time.Time

	mu       sync.Mutex
	reaped   bool
	timedOut bool
	status   syscall.WaitStatus
	deadline *time.Timer

	unfinished atomic.Int32
	onEnd      func(*Process)
}

// run starts the goroutines. onEnd is called before ended is closed.
func (p *Process) run(plugs plugs, timeout time.Duration) {
	p.unfinished.Store(1 + int32(len(plugs.outputs)))
	if timeout > 0 {
		p.mu.Lock()
		p.deadline = time.AfterFunc(timeout, p.expire)
		p.mu.Unlock()
	}
	for _, output := range plugs.outputs {
		go output.pump(p.hub, p.finishOne)
	}
	go func() {
		p.wait()
		plugs.commandExited()
		p.finishOne()
	}()
}

// wait blocks until the command exits. It is reaped under the lock, since from
// then on its process id may belong to somebody else.
func (p *Process) wait() {
	const pidType, waitExited, waitNoReap = 1, 0x4, 0x01000000
	var info [128]byte
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pidType, uintptr(p.PID),
			uintptr(unsafe.Pointer(&info)), waitExited|waitNoReap, 0, 0)
		if errno != syscall.EINTR {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if _, err := syscall.Wait4(p.PID, &p.status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	p.reaped = true
	if p.deadline != nil {
		p.deadline.Stop()
	}
}

func (p *Process) finishOne() {
	if p.unfinished.Add(-1) > 0 {
		return
	}
	p.stdin.close()
	p.onEnd(p)
	close(p.ended)
}

// expire kills the process and its children because the client's timeout is over.
func (p *Process) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.timedOut = true
		p.signalAll(syscall.SIGKILL)
	}
}

// Signal sends sig to the group, or to everything in a terminal: also to what is
// left in one whose first process has exited.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped && !(p.terminal && sessionOutlived(p.PID)) {
		return fault.New(fault.NotFound, "process %d has exited", p.PID)
	}
	if err := p.signalAll(sig); err != nil {
		return fault.Wrap(fault.Internal, err, "signalling process %d", p.PID)
	}
	return nil
}

func (p *Process) signalAll(sig syscall.Signal) error {
	if p.terminal {
		return signalSession(p.PID, sig)
	}
	return syscall.Kill(-p.PID, sig)
}

// outcome is valid once ended is closed.
func (p *Process) outcome() (status syscall.WaitStatus, timedOut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.timedOut
}
