package process

// Pseudo-terminals: pty(7). envd holds the master twice, once to read and once to
// write, resize and hang on to. It also keeps the slave open while the command
// runs, so that a command that closes its terminal may open it again: the master
// says EIO only when the command has ended and nobody else has the slave.

import (
	"os"
	"syscall"
	"unsafe"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/connect"
	"wrenn.dev/envd/internal/fault"
)

const (
	// tiocgptpeer opens the slave without a path: ioctl_tty(2), Linux 4.13.
	tiocgptpeer = 0x5441
	// iutf8 makes the kernel's line editing erase a whole character: termios(3).
	iutf8 = 0x4000
)

// winsize is struct winsize, without the pixels.
type winsize struct{ rows, cols, _, _ uint16 }

// size of a terminal as the client gives it.
type size struct {
	Cols connect.Uint32 `json:"cols"`
	Rows connect.Uint32 `json:"rows"`
}

// ptyRequest is present where a terminal is meant.
type ptyRequest struct {
	Size size `json:"size"`
}

func (s size) winsize() (*winsize, error) {
	const most = 1<<16 - 1
	if s.Cols == 0 || s.Rows == 0 || s.Cols > most || s.Rows > most {
		return nil, fault.New(fault.InvalidArgument, "pty.size needs cols and rows, 1 to %d each", most)
	}
	return &winsize{rows: uint16(s.Rows), cols: uint16(s.Cols)}, nil
}

// openPty makes a terminal of that size that belongs to user.
func openPty(terminal *ptyRequest, user account.User) (plugs, error) {
	size, err := terminal.Size.winsize()
	if err != nil {
		return plugs{}, err
	}
	master, err := syscall.Open("/dev/ptmx", syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return plugs{}, noPty(err)
	}
	reader, slave, err := openEnds(master, size, user)
	if err != nil {
		syscall.Close(master)
		return plugs{}, err
	}
	return plugs{
		files:    []uintptr{uintptr(slave), uintptr(slave), uintptr(slave)},
		theirs:   []int{slave},
		terminal: true,
		stdin:    os.NewFile(uintptr(master), "terminal"),
		outputs:  []source{{os.NewFile(uintptr(reader), "terminal"), ptyFrame}},
	}, nil
}

// openEnds returns a second descriptor of the master, and the slave.
func openEnds(master int, size *winsize, user account.User) (reader, slave int, err error) {
	unlocked := 0
	if err := ioctl(master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked)); err != nil {
		return 0, 0, noPty(err)
	}
	if err := ioctl(master, syscall.TIOCSWINSZ, unsafe.Pointer(size)); err != nil {
		return 0, 0, noPty(err)
	}
	const flags = syscall.O_RDWR | syscall.O_NOCTTY | syscall.O_CLOEXEC
	peer, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(master), tiocgptpeer, flags)
	if errno != 0 {
		return 0, 0, noPty(errno)
	}
	slave = int(peer)
	if err = prepareSlave(slave, user); err == nil {
		var second uintptr
		second, _, errno = syscall.Syscall(syscall.SYS_FCNTL, uintptr(master), syscall.F_DUPFD_CLOEXEC, 0)
		if reader = int(second); errno == 0 {
			return reader, slave, nil
		}
		err = errno
	}
	syscall.Close(slave)
	return 0, 0, noPty(err)
}

func prepareSlave(slave int, user account.User) error {
	var settings syscall.Termios
	if err := ioctl(slave, syscall.TCGETS, unsafe.Pointer(&settings)); err != nil {
		return err
	}
	settings.Iflag |= iutf8
	if err := ioctl(slave, syscall.TCSETS, unsafe.Pointer(&settings)); err != nil {
		return err
	}
	// The group stays: devpts gives every terminal that of its mount.
	return syscall.Fchown(slave, int(user.UID), -1)
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

func noPty(err error) error {
	return fault.Wrap(fault.ResourceExhausted, err, "opening a terminal")
}
