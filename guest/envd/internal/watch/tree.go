package watch

// Which folders are watched.

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wrenn.dev/envd/internal/fault"
)

const (
	// maxFolders bounds one watcher; most kernels allow a user far fewer.
	maxFolders = 1 << 16
	// listedAtOnce bounds what is in memory of a huge folder.
	listedAtOnce = 1024
)

// watchAll watches the tree as it is now. What was watched before keeps its
// descriptor if it is still there.
func (w *Watcher) watchAll() error {
	before := w.folders
	w.folders = map[int32]string{}
	first, err := w.kernel.add(w.root, inOfChildren|inOfSelf)
	if vanished(err) || before != nil && first != w.first {
		w.gone = true
		return nil
	}
	if err != nil {
		return fault.File(err, w.root)
	}
	w.first = first
	w.folders[first] = ""
	if w.recursive {
		if err := w.list("", func(string) {}); err != nil {
			return err
		}
	}
	for folder := range before {
		if _, stays := w.folders[folder]; !stays {
			w.kernel.remove(folder)
		}
	}
	return nil
}

// enter watches the folder name and all below it, and tells found what is in
// there. It is watched before it is listed, so that nothing is missed.
func (w *Watcher) enter(name string, found func(name string)) error {
	path := filepath.Join(w.root, name)
	info, err := os.Lstat(path)
	if vanished(err) || err == nil && !w.sameFilesystem(info) {
		return nil
	}
	if err != nil {
		return fault.File(err, path)
	}
	if len(w.folders) >= maxFolders {
		return fault.New(fault.ResourceExhausted, "more than %d folders: watch a smaller tree", maxFolders)
	}
	folder, err := w.kernel.add(path, inOfChildren|syscall.IN_DONT_FOLLOW)
	if vanished(err) {
		return nil
	}
	if err != nil {
		return fault.File(err, path)
	}
	if known, ok := w.folders[folder]; ok && known != name {
		// The same folder by another name: a bind mount, or a move that is still to be told.
		return nil
	}
	w.folders[folder] = name
	return w.list(name, found)
}

// list enters the folders in the folder name.
func (w *Watcher) list(name string, found func(name string)) error {
	path := filepath.Join(w.root, name)
	flags := syscall.O_DIRECTORY
	if name != "" {
		flags |= syscall.O_NOFOLLOW
	}
	open, err := os.OpenFile(path, os.O_RDONLY|flags, 0)
	if vanished(err) {
		return nil
	}
	if err != nil {
		return fault.File(err, path)
	}
	folders, err := readFolder(open, name, found)
	open.Close()
	if err != nil && !vanished(err) {
		return fault.File(err, path)
	}
	for _, folder := range folders {
		if err := w.enter(folder, found); err != nil {
			return err
		}
	}
	return nil
}

func readFolder(open *os.File, name string, found func(name string)) (folders []string, err error) {
	for {
		children, err := open.ReadDir(listedAtOnce)
		for _, child := range children {
			path := filepath.Join(name, child.Name())
			found(path)
			if child.IsDir() {
				folders = append(folders, path)
			}
		}
		if errors.Is(err, io.EOF) {
			return folders, nil
		}
		if err != nil {
			return folders, err
		}
	}
}

// leave stops watching the folder name and all below it: it was moved.
func (w *Watcher) leave(name string) {
	for folder, watched := range w.folders {
		if watched == name || strings.HasPrefix(watched, name+"/") {
			delete(w.folders, folder)
			w.kernel.remove(folder)
		}
	}
}

func (w *Watcher) sameFilesystem(info fs.FileInfo) bool {
	here, ok := info.Sys().(*syscall.Stat_t)
	root, _ := w.self.Sys().(*syscall.Stat_t)
	return ok && here.Dev == root.Dev
}

// vanished: it is gone, is no folder any more, or belongs to a mount that root may
// not look into.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.ELOOP) || errors.Is(err, fs.ErrPermission)
}
