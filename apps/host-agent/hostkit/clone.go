package main

// hostkit clone: copies a file that is mostly holes or zeros. The copy shares the source's blocks where the filesystem can
// (FICLONE), else it has blocks only where the source has anything but zeros. copy_file_range(2) is of no use for that: it
// copies the zeros too, and where it would share blocks FICLONE has already done so.

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
)

// Source: linux/fs.h.
const ficlone = 0x40049409

func clone(args []string) error {
	flags := flag.NewFlagSet("clone", flag.ContinueOnError)
	sync := flags.Bool("sync", false, "return when the copy is durable")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return fmt.Errorf("usage: hostkit clone [-sync] SOURCE TARGET")
	}
	return cloneFile(flags.Arg(0), flags.Arg(1), *sync)
}

// cloneFile leaves no target behind when it fails, and never replaces one.
func cloneFile(source, target string, sync bool) (err error) {
	from, err := openRegular(source, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closed := to.Close(); err == nil {
			err = closed
		}
		if err != nil {
			os.Remove(target)
		}
	}()
	shared, err := reflink(to, from)
	if err == nil && !shared {
		err = copySparse(to, from)
	}
	if err == nil && sync {
		err = to.Sync()
	}
	return err
}

// reflink tells whether the filesystem could. Source of the errors: ioctl_ficlone(2).
func reflink(to, from *os.File) (bool, error) {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, to.Fd(), ficlone, from.Fd())
	switch {
	case errno == 0:
		return true, nil
	case errors.Is(errno, syscall.EOPNOTSUPP), errno == syscall.EXDEV, errno == syscall.EINVAL, errno == syscall.ENOTTY, errno == syscall.ENOSYS:
		return false, nil
	}
	return false, fmt.Errorf("FICLONE: %w", errno)
}

func copySparse(to, from *os.File) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := to.Truncate(info.Size()); err != nil {
		return err
	}
	return copyNonZero(to, from)
}
