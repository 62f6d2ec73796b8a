package process

// The write end of a command's stdin or terminal. Writes happen one at a time and in full;
// one that the command does not read ends with the request or the process.

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"wrenn.dev/envd/internal/fault"
)

type stdin struct {
	turn chan struct{}

	mu   sync.Mutex
	pipe *os.File
}

// newStdin wraps the non-blocking pipe; nil is a process without stdin.
func newStdin(pipe *os.File) *stdin {
	return &stdin{turn: make(chan struct{}, 1), pipe: pipe}
}

func (s *stdin) write(ctx context.Context, data []byte) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fault.New(fault.Canceled, "the client went away")
	}
	s.mu.Lock()
	pipe := s.pipe
	s.mu.Unlock()
	if pipe == nil {
		return fault.New(fault.FailedPrecondition, "stdin is not open")
	}
	stop := interruptOn(ctx, pipe)
	_, err := pipe.Write(data)
	stop()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault.New(fault.Canceled, "the client went away")
	}
	return fault.Wrap(fault.FailedPrecondition, err, "writing stdin")
}

// resize sets the size of the terminal.
func (s *stdin) resize(size *winsize) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe == nil {
		return fault.New(fault.NotFound, "the terminal's process has ended")
	}
	// Not Fd: that would make the file blocking.
	conn, err := s.pipe.SyscallConn()
	if err == nil {
		controlErr := conn.Control(func(fd uintptr) {
			err = ioctl(int(fd), syscall.TIOCSWINSZ, unsafe.Pointer(size))
		})
		if err == nil {
			err = controlErr
		}
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "resizing the terminal")
	}
	return nil
}

// interruptOn makes a blocked write return when ctx ends.
func interruptOn(ctx context.Context, pipe *os.File) (stop func()) {
	over, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			pipe.SetWriteDeadline(time.Unix(1, 0))
		case <-over:
		}
	}()
	return func() {
		close(over)
		<-stopped
		pipe.SetWriteDeadline(time.Time{})
	}
}

// close ends the command's input. Closing twice, or what was never open, is fine.
func (s *stdin) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe != nil {
		s.pipe.Close()
		s.pipe = nil
	}
}
