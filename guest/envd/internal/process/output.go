package process

// The output pipes of one command, from the kernel to the hub.

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const chunkBytes = 32 << 10

var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

type outputPipes struct {
	stdout, stderr *os.File
}

// commandExited makes both pumps stop waiting for more: whoever still holds the
// pipes is a background child, and nobody waits for those.
func (o outputPipes) commandExited() {
	past := time.Unix(1, 0)
	o.stdout.SetReadDeadline(past)
	o.stderr.SetReadDeadline(past)
}

// pump publishes what arrives on pipe until it ends or the command has exited
// and what it left in the pipe is published too; then it calls done. After that
// it discards what background children write, so that they never meet a full or
// a broken pipe. It closes the pipe.
func pump(pipe *os.File, kind outputKind, hub *hub, done func()) {
	defer pipe.Close()
	chunk := chunks.Get().(*[chunkBytes]byte)
	err := forward(pipe, chunk[:], kind, hub)
	exited := errors.Is(err, os.ErrDeadlineExceeded)
	if exited {
		forwardRest(pipe, chunk[:], kind, hub)
	}
	chunks.Put(chunk)
	done()
	if exited {
		discard(pipe)
	}
}

func forward(pipe *os.File, chunk []byte, kind outputKind, hub *hub) error {
	for {
		n, err := pipe.Read(chunk)
		if n > 0 {
			hub.publish(dataFrame(kind, chunk[:n]))
		}
		if err != nil {
			return err
		}
	}
}

// forwardRest publishes exactly the bytes that are in the pipe at this moment:
// all that the command wrote before it exited is among them, and a background
// child that goes on writing cannot keep the end away.
func forwardRest(pipe *os.File, chunk []byte, kind outputKind, hub *hub) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	var waiting int32
	conn.Control(func(fd uintptr) {
		syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&waiting)))
	})
	for rest := int(waiting); rest > 0; {
		n := 0
		conn.Control(func(fd uintptr) {
			n, err = syscall.Read(int(fd), chunk[:smaller(rest, len(chunk))])
		})
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			return
		}
		hub.publish(dataFrame(kind, chunk[:n]))
		rest -= n
	}
}

func discard(pipe *os.File) {
	pipe.SetReadDeadline(time.Time{})
	var sink [4096]byte
	for {
		if _, err := pipe.Read(sink[:]); err != nil {
			return
		}
	}
}

func smaller(a, b int) int {
	if a < b {
		return a
	}
	return b
}
