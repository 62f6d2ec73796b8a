package filesystem

// Move renames. Where the kernel cannot (another filesystem, or a folder of an
// overlay's lower layer) it copies beside the destination, renames the copy and
// removes the source: the destination is whole or not there.
//
// As in E2B's, what stands at the destination is replaced as rename(2) does it;
// with `noReplace`, which is ours, it is refused.

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/fault"
	"wrenn.dev/envd/internal/transfer"
)

func (s *Service) move(r *http.Request, req *moveRequest) (entryResponse, error) {
	source, _, err := s.resolve(r, req.Source)
	if err != nil {
		return entryResponse{}, err
	}
	destination, user, err := s.resolve(r, req.Destination)
	if err != nil {
		return entryResponse{}, err
	}
	if _, err := os.Lstat(source); err != nil {
		return entryResponse{}, fault.File(err, source)
	}
	if source != destination && isWithin(destination, source) {
		return entryResponse{}, fault.New(fault.InvalidArgument, "%s: cannot be moved into itself", source)
	}
	if err := transfer.MakeParents(destination, user); err != nil {
		return entryResponse{}, err
	}
	err = rename(source, destination, !req.NoReplace)
	if err == syscall.EXDEV {
		err = copyAcross(source, destination, !req.NoReplace)
	}
	if err != nil {
		return entryResponse{}, fault.File(err, destination)
	}
	return s.respond(destination)
}

func copyAcross(source, destination string, replace bool) error {
	if err := mustHoldNoMount(source); err != nil {
		return err
	}
	// Before the work of it; the rename at its end decides.
	if _, err := os.Lstat(destination); err == nil && !replace {
		return syscall.EEXIST
	}
	temp := filepath.Join(filepath.Dir(destination),
		".envd-"+strconv.FormatInt(time.Now().UnixNano(), 36)+".tmp")
	defer os.RemoveAll(temp)
	if err := copyTree(source, temp); err != nil {
		return err
	}
	if err := rename(temp, destination, replace); err != nil {
		return err
	}
	return os.RemoveAll(source)
}

// copyTree copies files, folders, symlinks, FIFOs and devices with owner, mode
// and time.
func copyTree(source, destination string) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case info.IsDir():
		err = copyFolder(source, destination)
	case info.Mode().IsRegular():
		err = copyFile(source, destination)
	case info.Mode()&fs.ModeSymlink != 0:
		link, readErr := os.Readlink(source)
		if readErr != nil {
			return readErr
		}
		if err := os.Symlink(link, destination); err != nil {
			return err
		}
		return os.Lchown(destination, int(stat.Uid), int(stat.Gid))
	default:
		err = syscall.Mknod(destination, stat.Mode, int(stat.Rdev))
	}
	if err != nil {
		return err
	}
	if err := os.Lchown(destination, int(stat.Uid), int(stat.Gid)); err != nil {
		return err
	}
	if err := syscall.Chmod(destination, stat.Mode&0o7777); err != nil {
		return err
	}
	return os.Chtimes(destination, time.Unix(stat.Atim.Unix()), info.ModTime())
}

func copyFolder(source, destination string) error {
	if err := os.Mkdir(destination, 0o700); err != nil {
		return err
	}
	children, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, child := range children {
		err := copyTree(filepath.Join(source, child.Name()), filepath.Join(destination, child.Name()))
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(source, destination string) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(destination, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(to, from); err != nil {
		to.Close()
		return err
	}
	return to.Close()
}
