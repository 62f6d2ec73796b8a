package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestACloneHasTheContentAndIsSparse(t *testing.T) {
	source, content := sparseFile(t)
	target := filepath.Join(t.TempDir(), "clone")
	if err := cloneFile(source, target, true); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contentOf(t, target), content) {
		t.Fatal("the clone differs")
	}
	var stat syscall.Stat_t
	if err := syscall.Stat(target, &stat); err != nil || stat.Blocks*512 > 256<<10 || stat.Mode&0o777 != 0o600 {
		t.Errorf("%d blocks, mode %o, %v", stat.Blocks, stat.Mode, err)
	}
	if err := os.WriteFile(target, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contentOf(t, source), content) {
		t.Error("a write to the clone reached the source")
	}
}

// A tmpfs has no FICLONE, whatever the filesystem of the other tests has.
func TestACloneBetweenFilesystems(t *testing.T) {
	source, content := sparseFile(t)
	folder, err := os.MkdirTemp("/dev/shm", "hostkit-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	target := filepath.Join(folder, "clone")
	if err := cloneFile(source, target, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contentOf(t, target), content) {
		t.Fatal("the clone differs")
	}
	var stat syscall.Stat_t
	if err := syscall.Stat(target, &stat); err != nil || stat.Blocks*512 > 256<<10 {
		t.Errorf("%d blocks, %v", stat.Blocks, err)
	}
}

func TestACloneOfHolesOnly(t *testing.T) {
	source := memoryFile(t, make([]byte, 300)...)
	target := filepath.Join(t.TempDir(), "clone")
	if err := cloneFile(source.Name(), target, true); err != nil {
		t.Fatal(err)
	}
	if content := contentOf(t, target); !bytes.Equal(content, make([]byte, 300*pageSize)) {
		t.Fatalf("%d bytes", len(content))
	}
}

func TestACloneReplacesNothing(t *testing.T) {
	source, content := sparseFile(t)
	if err := cloneFile(source, source, false); !os.IsExist(err) {
		t.Errorf("onto itself: %v", err)
	}
	if !bytes.Equal(contentOf(t, source), content) {
		t.Fatal("the source was changed")
	}
	target := filepath.Join(t.TempDir(), "target")
	if err := cloneFile(filepath.Join(t.TempDir(), "nothing"), target, false); !os.IsNotExist(err) {
		t.Errorf("no source: %v", err)
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("a failure leaves a file")
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(source, link); err != nil {
		t.Fatal(err)
	}
	if err := cloneFile(link, target, false); err == nil {
		t.Error("a link was followed")
	}
}
