package process

// Finding the file to execute, and what the kernel's refusal means to the caller.

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wrenn.dev/envd/internal/fault"
)

// findExecutable looks cmd up in the PATH, or below cwd if it has a slash.
func findExecutable(cmd, path, cwd string) (string, error) {
	if strings.Contains(cmd, "/") {
		file := absolute(cmd, cwd)
		return file, checkExecutable(cmd, file)
	}
	var refusal error
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(absolute(dir, cwd), cmd)
		err := checkExecutable(cmd, file)
		if err == nil {
			return file, nil
		}
		if refusal == nil && err.(*fault.Error).Code == fault.PermissionDenied {
			refusal = err
		}
	}
	if refusal != nil {
		return "", refusal
	}
	return "", fault.New(fault.NotFound, "%s: not found in PATH", cmd)
}

func absolute(path, cwd string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(cwd, path)
}

func checkExecutable(cmd, file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.PermissionDenied, err, "%s", cmd)
	case err != nil:
		return fault.Wrap(fault.NotFound, err, "%s", cmd)
	case info.IsDir():
		return fault.New(fault.PermissionDenied, "%s: is a directory", cmd)
	case info.Mode()&0o111 == 0:
		return fault.New(fault.PermissionDenied, "%s: not executable", cmd)
	}
	return nil
}

// execFailure translates what fork, chdir or exec answered.
func execFailure(err error, cmd string) error {
	code := fault.Internal
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		code = fault.NotFound
	case errors.Is(err, syscall.E2BIG), errors.Is(err, syscall.ENAMETOOLONG):
		code = fault.InvalidArgument
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM),
		errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		code = fault.ResourceExhausted
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EISDIR),
		errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.ELIBBAD), errors.Is(err, syscall.EINVAL),
		errors.Is(err, syscall.ETXTBSY), errors.Is(err, syscall.ELOOP):
		code = fault.PermissionDenied
	}
	return fault.Wrap(code, err, "%s", cmd)
}
