package process

// Both sides of a command's three descriptors: pipes, or a terminal (pty.go).

import (
	"os"
	"syscall"

	"wrenn.dev/envd/internal/fault"
)

type plugs struct {
	// files are what the command gets as 0, 1 and 2.
	files []uintptr
	// theirs are envd's copies of them.
	theirs []int
	// terminal: the command leads its session, and theirs stay open while it runs.
	terminal bool
	// stdin is nil for a command without.
	stdin   *os.File
	outputs []source
}

// source is where one kind of a command's output arrives.
type source struct {
	file *os.File
	kind outputKind
}

// openPipes makes two pipes, and a third for stdin if asked for.
func openPipes(devNull *os.File, withStdin bool) (p plugs, err error) {
	p.files = []uintptr{devNull.Fd(), 0, 0}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	for fd, kind := range []outputKind{"", stdoutFrame, stderrFrame} {
		if fd == 0 && !withStdin {
			continue
		}
		var ends [2]int
		if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
			return p, fault.Wrap(fault.ResourceExhausted, err, "opening a pipe")
		}
		mine, its := ends[0], ends[1]
		if fd == 0 {
			mine, its = its, mine
		}
		p.theirs = append(p.theirs, its)
		p.files[fd] = uintptr(its)
		err := syscall.SetNonblock(mine, true)
		file := os.NewFile(uintptr(mine), "pipe")
		if fd == 0 {
			p.stdin = file
		} else {
			p.outputs = append(p.outputs, source{file, kind})
		}
		if err != nil {
			return p, fault.Wrap(fault.Internal, err, "opening a pipe")
		}
	}
	return p, nil
}

// closeTheirs closes what only the command is to have.
func (p *plugs) closeTheirs() {
	for _, fd := range p.theirs {
		syscall.Close(fd)
	}
	p.theirs = nil
}

// close closes everything.
func (p *plugs) close() {
	p.closeTheirs()
	if p.stdin != nil {
		p.stdin.Close()
	}
	for _, output := range p.outputs {
		output.file.Close()
	}
}
