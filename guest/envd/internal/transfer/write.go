package transfer

// Writing one file from a stream, where the target is known before the content
// and where it is not.

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

// spoolFolder is on the sandbox's disk; /tmp may be memory.
const spoolFolder = "/var/tmp"

// write replaces path by what source has.
func write(path string, source io.Reader, user account.User) error {
	target, err := prepareTarget(path, user)
	if err != nil {
		return err
	}
	file, err := replace(target, "")
	if err != nil {
		return err
	}
	defer file.abort()
	if err := file.fill(source); err != nil {
		return err
	}
	return file.commit(user)
}

// prepareTarget makes the folders of path and refuses what is no file.
func prepareTarget(path string, user account.User) (string, error) {
	target, err := followLinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(target)
	if err == nil {
		return target, mustBeRegular(info, target)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fault.File(err, target)
	}
	return target, MakeParents(target, user)
}

// spool keeps source in a temporary file until place says where it belongs.
func spool(source io.Reader) (*replacement, error) {
	folder := spoolFolder
	if _, err := os.Stat(folder); err != nil {
		folder = os.TempDir()
	}
	file, err := replace("the upload", folder)
	if err != nil {
		return nil, err
	}
	if err := file.fill(source); err != nil {
		file.abort()
		return nil, err
	}
	return file, nil
}

// place moves a spooled upload to path, or copies it to another filesystem. The
// caller still aborts it.
func (r *replacement) place(path string, user account.User) error {
	target, err := prepareTarget(path, user)
	if err != nil {
		return err
	}
	r.target = target
	err = r.commit(user)
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	source, err := os.Open(r.file.Name())
	if err != nil {
		return fault.File(err, target)
	}
	defer source.Close()
	return write(target, source, user)
}
