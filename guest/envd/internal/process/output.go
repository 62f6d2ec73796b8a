package process

// The output of one command, from the kernel to the hub.

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

// mostInTerminal is more than a terminal holds between writer and reader: 64 KiB of
// flip buffers and 4 KiB of the line discipline's.
const mostInTerminal = 128 << 10

// commandExited makes the pumps stop waiting for more: whoever still holds the
// other end is a background child, and nobody waits for those.
func (p *plugs) commandExited() {
	p.closeTheirs()
	for _, output := range p.outputs {
		output.file.SetReadDeadline(time.Unix(1, 0))
	}
}

// pump publishes what arrives at s until it ends or the command has exited and
// what it left there is published too; then it calls done. After that it discards
// what background children write, so that they never meet a full or a broken
// pipe, or a terminal that is gone. It closes the file.
func (s source) pump(hub *hub, done func()) {
	defer s.file.Close()
	chunk := chunks.Get().(*[chunkBytes]byte)
	err := s.forward(chunk[:], hub)
	exited := errors.Is(err, os.ErrDeadlineExceeded)
	if exited {
		s.forwardRest(chunk[:], hub)
	}
	chunks.Put(chunk)
	done()
	if exited {
		discard(s.file)
	}
}

func (s source) forward(chunk []byte, hub *hub) error {
	for {
		n, err := s.file.Read(chunk)
		if n > 0 {
			hub.publish(s.kind, chunk[:n])
		}
		if err != nil {
			return err
		}
	}
}

// forwardRest publishes the bytes that are there at this moment: all that the
// command wrote before it exited is among them, and a background child that goes
// on writing cannot keep the end away.
func (s source) forwardRest(chunk []byte, hub *hub) {
	conn, err := s.file.SyscallConn()
	if err != nil {
		return
	}
	waiting := int32(mostInTerminal)
	if s.kind != ptyFrame {
		// Of a terminal it would count the line discipline's buffer only.
		conn.Control(func(fd uintptr) { ioctl(int(fd), syscall.TIOCINQ, unsafe.Pointer(&waiting)) })
	}
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
		hub.publish(s.kind, chunk[:n])
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
