package freeze

// The real disk: ioctls on a descriptor of the folder in which process 1 found it
// mounted. No path leads there from the guest's root, so that nothing in the guest
// can unmount it or put something else in its place.

import (
	"fmt"
	"syscall"
)

// Source: linux/fs.h; the same on amd64 and arm64.
const (
	fiFreeze = 0xc0045877
	fiThaw   = 0xc0045878
)

// Mounted is a filesystem with a block device below it.
type Mounted struct{ fd uintptr }

// Inherited takes over a descriptor that this process was started with, and keeps
// it from the processes that it starts.
func Inherited(fd int) (Mounted, error) {
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return Mounted{}, fmt.Errorf("descriptor %d of the disk: %w", fd, err)
	}
	syscall.CloseOnExec(fd)
	return Mounted{uintptr(fd)}, nil
}

// Freeze is FIFREEZE. EBUSY: it is frozen.
func (m Mounted) Freeze() error { return m.ioctl("FIFREEZE", fiFreeze, syscall.EBUSY) }

// Thaw is FITHAW. EINVAL: it is not frozen.
func (m Mounted) Thaw() error { return m.ioctl("FITHAW", fiThaw, syscall.EINVAL) }

func (m Mounted) ioctl(name string, request uintptr, done syscall.Errno) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, m.fd, request, 0)
	if errno != 0 && errno != done {
		return fmt.Errorf("%s: %w", name, errno)
	}
	return nil
}
