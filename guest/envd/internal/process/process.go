// Package process runs commands. A Process lives apart from the requests that
// look at it: its output goes to the subscribers of its hub, it survives them,
// and its end is remembered for a while.
//
// Three goroutines serve a process: one waits for it, one pumps each output
// pipe. The last of them to finish announces the end, so that no output follows
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

	hub   *hub
	stdin *stdin
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

// run starts the three goroutines. onEnd is called before ended is closed.
func (p *Process) run(pipes outputPipes, timeout time.Duration) {
	p.unfinished.Store(3)
	if timeout > 0 {
		p.mu.Lock()
		p.deadline = time.AfterFunc(timeout, p.expire)
		p.mu.Unlock()
	}
	go pump(pipes.stdout, stdoutFrame, p.hub, p.finishOne)
	go pump(pipes.stderr, stderrFrame, p.hub, p.finishOne)
	go func() {
		p.wait()
		pipes.commandExited()
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

// expire kills the group because the client's timeout is over.
func (p *Process) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		p.timedOut = true
		syscall.Kill(-p.PID, syscall.SIGKILL)
	}
}

// Signal sends sig to the whole group.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return fault.New(fault.NotFound, "process %d has exited", p.PID)
	}
	if err := syscall.Kill(-p.PID, sig); err != nil {
		return fault.Wrap(fault.Internal, err, "signalling process %d", p.PID)
	}
	return nil
}

// outcome is valid once ended is closed.
func (p *Process) outcome() (status syscall.WaitStatus, timedOut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.timedOut
}
