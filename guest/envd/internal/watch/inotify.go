package watch

// inotify(7), bare: which descriptor means which folder is watcher.go's business.

import (
	"bytes"
	"os"
	"syscall"
	"time"
	"unsafe"

	"wrenn.dev/envd/internal/fault"
)

// bufferBytes has room for a few hundred events, and at least for one.
const bufferBytes = 64 << 10

// inOfChildren is what is asked of every watched folder; inOfSelf of the first too.
const (
	inOfChildren = syscall.IN_CREATE | syscall.IN_MODIFY | syscall.IN_DELETE | syscall.IN_ATTRIB |
		syscall.IN_MOVED_FROM | syscall.IN_MOVED_TO | syscall.IN_ONLYDIR | syscall.IN_EXCL_UNLINK
	inOfSelf = syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF
)

type inotify struct {
	file   *os.File
	buffer []byte
}

// note is one event as the kernel tells it; name is empty for the folder itself.
type note struct {
	folder int32
	mask   uint32
	name   string
}

func (n note) has(mask uint32) bool { return n.mask&mask != 0 }

func openInotify() (*inotify, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err == syscall.EMFILE {
		return nil, fault.New(fault.ResourceExhausted, "too many watchers at once: fs.inotify.max_user_instances")
	}
	if err != nil {
		return nil, fault.Wrap(fault.ResourceExhausted, err, "opening a watcher")
	}
	return &inotify{file: os.NewFile(uintptr(fd), "inotify"), buffer: make([]byte, bufferBytes)}, nil
}

// add watches a folder; one that is watched already keeps its descriptor.
func (i *inotify) add(path string, mask uint32) (folder int32, err error) {
	err = i.control(func(fd int) error {
		watched, err := syscall.InotifyAddWatch(fd, path, mask)
		folder = int32(watched)
		return err
	})
	if err == syscall.ENOSPC {
		// Not its cause: the disk is not full.
		err = fault.New(fault.ResourceExhausted, "too many folders are watched: fs.inotify.max_user_watches; watch a smaller tree")
	}
	return folder, err
}

// remove stops watching; a folder that is gone has stopped by itself.
func (i *inotify) remove(folder int32) {
	i.control(func(fd int) error {
		_, err := syscall.InotifyRmWatch(fd, uint32(folder))
		return err
	})
}

// wait blocks until there is something to read, or limit is over.
func (i *inotify) wait(limit time.Duration) error {
	if err := i.file.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	conn, err := i.file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool { return readable(int(fd)) })
}

// read returns what there is, and nothing if there is nothing.
func (i *inotify) read() (notes []note, err error) {
	n := 0
	err = i.control(func(fd int) error {
		var err error
		for {
			if n, err = syscall.Read(fd, i.buffer); err != syscall.EINTR {
				return err
			}
		}
	})
	if err == syscall.EAGAIN {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for rest := i.buffer[:n]; len(rest) >= syscall.SizeofInotifyEvent; {
		raw := (*syscall.InotifyEvent)(unsafe.Pointer(&rest[0]))
		end := syscall.SizeofInotifyEvent + int(raw.Len)
		name, _, _ := bytes.Cut(rest[syscall.SizeofInotifyEvent:end], []byte{0})
		notes = append(notes, note{folder: raw.Wd, mask: raw.Mask, name: string(name)})
		rest = rest[end:]
	}
	return notes, nil
}

func (i *inotify) control(fn func(fd int) error) error {
	conn, err := i.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = fn(int(fd)) }); err != nil {
		return err
	}
	return inner
}

func readable(fd int) bool {
	waiting := int32(0)
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCINQ, uintptr(unsafe.Pointer(&waiting)))
	return errno != 0 || waiting > 0
}
