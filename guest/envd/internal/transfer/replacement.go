package transfer

// A replacement is a new file being written beside its target. Until commit the
// target is untouched; after abort nothing is left.

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"wrenn.dev/envd/internal/account"
	"wrenn.dev/envd/internal/fault"
)

const copyBytes = 128 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

type replacement struct {
	target string
	file   *os.File
}

// replace makes a temporary file in folder, or beside target if folder is empty.
func replace(target, folder string) (*replacement, error) {
	if folder == "" {
		folder = filepath.Dir(target)
	}
	var suffix [8]byte
	if _, err := rand.Read(suffix[:]); err != nil {
		return nil, fault.Of(err)
	}
	name := filepath.Join(folder, ".envd-"+hex.EncodeToString(suffix[:])+".tmp")
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fault.File(err, target)
	}
	return &replacement{target: target, file: file}, nil
}

// fill copies from source to the temporary file. A source that breaks off is
// the caller's fault, a write that fails is ours.
func (r *replacement) fill(source io.Reader) error {
	buffer := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buffer)
	for {
		n, readErr := readPiece(source, buffer[:])
		if _, err := r.file.Write(buffer[:n]); err != nil {
			return fault.File(err, r.target)
		}
		if errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil {
			return fault.Wrap(fault.InvalidArgument, readErr, "the upload broke off")
		}
	}
}

// readPiece reads until half of buffer is full, since a form gives only 4 KiB at
// a time; what comes in larger pieces is not held up for more.
func readPiece(source io.Reader, buffer []byte) (n int, err error) {
	for n < len(buffer)/2 && err == nil {
		var got int
		got, err = source.Read(buffer[n:])
		n += got
	}
	return n, err
}

// commit gives the file its mode and owner and puts it in the target's place:
// those of the file that is replaced, else 0644 and user's.
func (r *replacement) commit(user account.User) error {
	uid, gid, mode := int(user.UID), int(user.GID), fs.FileMode(0o644)
	old, err := os.Stat(r.target)
	if err == nil {
		if err := mustBeRegular(old, r.target); err != nil {
			return err
		}
		stat := old.Sys().(*syscall.Stat_t)
		uid, gid = int(stat.Uid), int(stat.Gid)
		mode = old.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fault.File(err, r.target)
	}
	// chown first: it clears the setuid bits.
	if err := r.file.Chown(uid, gid); err != nil {
		return fault.File(err, r.target)
	}
	if err := r.file.Chmod(mode); err != nil {
		return fault.File(err, r.target)
	}
	if err := r.file.Close(); err != nil {
		return fault.File(err, r.target)
	}
	if err := os.Rename(r.file.Name(), r.target); err != nil {
		return fault.File(err, r.target)
	}
	return nil
}

// abort removes the temporary file. After commit it does nothing.
func (r *replacement) abort() {
	r.file.Close()
	os.Remove(r.file.Name())
}
