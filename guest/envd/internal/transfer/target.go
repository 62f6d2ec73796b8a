// Package transfer moves whole files in and out of the sandbox: GET and POST
// /files. Downloads are read to the end of the file, uploads replace their
// target at once or not at all. Both hold a bounded buffer, whatever the size.
package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

// maxLinks is the kernel's limit of symlinks in one path.
const maxLinks = 40

// followLinks returns the path that a write to path ends at. What a symlink
// points to need not exist.
func followLinks(path string) (string, error) {
	for i := 0; i < maxLinks; i++ {
		link, err := os.Readlink(path)
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", fault.File(err, path)
		}
		if !filepath.IsAbs(link) {
			// The folder itself may be a symlink: `..` counts from where it leads.
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", fault.File(err, path)
			}
			link = filepath.Join(folder, link)
		}
		path = link
	}
	return "", fault.New(fault.InvalidArgument, "%s: too many levels of symbolic links", path)
}

// MakeParents makes the missing folders above path, 0755 and owned by user.
func MakeParents(path string, user account.User) error {
	return MakeFolders(filepath.Dir(path), user)
}

// MakeFolders makes path and the missing folders above it, 0755 and owned by user.
func MakeFolders(path string, user account.User) error {
	info, err := os.Stat(path)
	if err == nil {
		if info.IsDir() {
			return nil
		}
		return fault.New(fault.InvalidArgument, "%s: not a directory", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fault.File(err, path)
	}
	if err := MakeFolders(filepath.Dir(path), user); err != nil {
		return err
	}
	err = os.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = os.Lchown(path, int(user.UID), int(user.GID))
	}
	if err != nil {
		return fault.File(err, path)
	}
	return nil
}

// mustBeRegular refuses folders, FIFOs, sockets and devices.
func mustBeRegular(info fs.FileInfo, path string) error {
	if info.Mode().IsRegular() {
		return nil
	}
	what := "not a regular file"
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "is a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "is a FIFO"
	case mode&fs.ModeSocket != 0:
		what = "is a socket"
	case mode&fs.ModeDevice != 0:
		what = "is a device"
	}
	return fault.New(fault.InvalidArgument, "%s: %s", path, what)
}
