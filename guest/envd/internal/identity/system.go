package identity

// The system calls of /init, behind an interface: tests must not set the clock or
// the name of the machine they run on.

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// System changes the running kernel.
type System interface {
	SetClock(now time.Time) error
	AddEntropy(seed []byte) error
	SetHostname(name string) error
}

// Kernel is the real one.
type Kernel struct{}

// ioctl numbers of linux/random.h; the same on amd64 and arm64.
const (
	rndAddEntropy = 0x40085203
	rndReseedCRNG = 0x5207
)

func (Kernel) SetClock(now time.Time) error {
	const clockRealtime = 0
	spec := syscall.NsecToTimespec(now.UnixNano())
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_SETTIME, clockRealtime, uintptr(unsafe.Pointer(&spec)), 0)
	if errno != 0 {
		return fmt.Errorf("clock_settime: %w", errno)
	}
	return nil
}

// AddEntropy credits seed and reseeds at once. Without the second step the pool
// keeps its old key for up to five minutes, and two clones read the same bytes.
func (Kernel) AddEntropy(seed []byte) error {
	random, err := os.OpenFile("/dev/urandom", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer random.Close()
	if err := ioctl(random, rndAddEntropy, unsafe.Pointer(&poolInfo(seed)[0])); err != nil {
		return fmt.Errorf("RNDADDENTROPY: %w", err)
	}
	if err := ioctl(random, rndReseedCRNG, nil); err != nil {
		return fmt.Errorf("RNDRESEEDCRNG: %w", err)
	}
	return nil
}

// poolInfo lays out struct rand_pool_info: bits of entropy, bytes, the bytes. Both
// architectures that envd is built for are little-endian.
func poolInfo(seed []byte) []byte {
	info := make([]byte, 8, 8+len(seed))
	binary.LittleEndian.PutUint32(info[0:], uint32(len(seed)*8))
	binary.LittleEndian.PutUint32(info[4:], uint32(len(seed)))
	return append(info, seed...)
}

func (Kernel) SetHostname(name string) error {
	if err := syscall.Sethostname([]byte(name)); err != nil {
		return fmt.Errorf("sethostname: %w", err)
	}
	return nil
}

func ioctl(file *os.File, request uintptr, arg unsafe.Pointer) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), request, uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}
