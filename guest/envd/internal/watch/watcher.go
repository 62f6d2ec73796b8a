// Package watch tells what changes in a folder, and below it, with inotify.
//
// The kernel's queue is the only one: nothing is read before somebody asks, and
// when it overflows the client is told so. A new folder is watched when the note
// of it is read; what was made in it before then is found by listing it.
package watch

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"wrenn.dev/envd/internal/fault"
)

// Kind is one of E2B's event types, or Overflow.
type Kind string

const (
	Create Kind = "EVENT_TYPE_CREATE"
	Write  Kind = "EVENT_TYPE_WRITE"
	Remove Kind = "EVENT_TYPE_REMOVE"
	// Rename has the old name; the new one is a Create.
	Rename Kind = "EVENT_TYPE_RENAME"
	Chmod  Kind = "EVENT_TYPE_CHMOD"
	// Overflow has no name: more happened than can be told. All is watched again.
	Overflow Kind = "EVENT_TYPE_OVERFLOW"
)

// Event is a change of name, which is relative to the watched folder.
type Event struct {
	Name string `json:"name"`
	Type Kind   `json:"type"`
}

// Watcher watches one folder. Only Close may be called while another call runs.
type Watcher struct {
	root      string
	recursive bool
	kernel    *inotify
	// folders are the names of what is watched; the root's is "".
	folders map[int32]string
	first   int32
	self    os.FileInfo
	batch   batch
	gone    bool
}

// Open watches root, and with recursive all folders below it on the same
// filesystem. Symlinks are not followed, but root may be one.
func Open(root string, recursive bool) (*Watcher, error) {
	self, err := os.Stat(root)
	if err != nil {
		return nil, fault.Read(err, root)
	}
	if !self.IsDir() {
		return nil, fault.New(fault.InvalidArgument, "%s: not a directory", root)
	}
	kernel, err := openInotify()
	if err != nil {
		return nil, err
	}
	w := &Watcher{root: root, recursive: recursive, kernel: kernel, self: self}
	if err := w.watchAll(); err != nil {
		w.Close()
		return nil, err
	}
	if w.gone {
		w.Close()
		return nil, fault.New(fault.NotFound, "%s: it was removed just now", root)
	}
	return w, nil
}

// Close ends a Wait, too.
func (w *Watcher) Close() { w.kernel.file.Close() }

// Wait returns what happens next, or nothing when limit is over. io.EOF comes with
// the last events of a folder that is gone.
func (w *Watcher) Wait(limit time.Duration) ([]Event, error) {
	err := w.kernel.wait(limit)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, err
	}
	return w.Poll()
}

// Poll is Wait without waiting.
func (w *Watcher) Poll() ([]Event, error) {
	for !w.gone && !w.batch.full() {
		notes, err := w.kernel.read()
		if err != nil {
			return nil, err
		}
		if len(notes) == 0 {
			w.batch.drained()
			break
		}
		for _, note := range notes {
			if err := w.handle(note); err != nil {
				return nil, err
			}
		}
	}
	events := w.batch.take()
	// A folder that is somebody's working folder goes without a note, and so does
	// one whose parent was moved.
	now, err := os.Stat(w.root)
	if w.gone || err != nil || !os.SameFile(now, w.self) {
		return events, io.EOF
	}
	return events, nil
}

func (w *Watcher) handle(n note) error {
	if n.has(syscall.IN_Q_OVERFLOW) {
		w.batch.overflow()
		return w.watchAll()
	}
	folder, known := w.folders[n.folder]
	if !known {
		return nil
	}
	if n.has(syscall.IN_IGNORED) {
		delete(w.folders, n.folder)
	}
	if n.name == "" {
		ended := n.has(syscall.IN_IGNORED | syscall.IN_UNMOUNT | syscall.IN_DELETE_SELF | syscall.IN_MOVE_SELF)
		w.gone = w.gone || ended && n.folder == w.first
		return nil
	}
	name := filepath.Join(folder, n.name)
	isFolder := n.has(syscall.IN_ISDIR)
	switch {
	case n.has(syscall.IN_CREATE | syscall.IN_MOVED_TO):
		w.batch.create(name, n.has(syscall.IN_CREATE))
		if isFolder && w.recursive {
			return w.enter(name, w.batch.found)
		}
	case n.has(syscall.IN_MODIFY):
		w.batch.add(name, Write)
	case n.has(syscall.IN_ATTRIB):
		w.batch.add(name, Chmod)
	case n.has(syscall.IN_DELETE):
		w.batch.add(name, Remove)
	case n.has(syscall.IN_MOVED_FROM):
		w.batch.add(name, Rename)
		if isFolder {
			w.leave(name)
		}
	}
	return nil
}
