package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sparseFile has data in two places, one of which is all zeros.
func sparseFile(t *testing.T) (path string, content []byte) {
	t.Helper()
	const size = 4 << 20
	content = make([]byte, size)
	copy(content[1<<20:], "first")
	copy(content[size-6:], "second")
	path = filepath.Join(t.TempDir(), "sparse")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{1 << 20, size - 6} {
		if _, err := file.WriteAt(content[at:at+5], at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := file.WriteAt(content[size-6:], size-6); err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(make([]byte, 64<<10), 2<<20); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestExtentsCoverAllData(t *testing.T) {
	path, content := sparseFile(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all, err := extents(file)
	if err != nil {
		t.Fatal(err)
	}
	rebuilt := make([]byte, len(content))
	var covered int64
	for _, part := range all {
		copy(rebuilt[part.offset:part.offset+part.length], content[part.offset:])
		covered += part.length
	}
	if !bytes.Equal(rebuilt, content) {
		t.Error("data lies outside of the extents")
	}
	if covered > 1<<20 {
		t.Errorf("%d bytes of a sparse file count as data", covered)
	}
}

func TestExtentsOfAnEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if all, err := extents(file); err != nil || len(all) != 0 {
		t.Fatal(all, err)
	}
}

func TestSealedCopyHasTheContentAndCannotBeChanged(t *testing.T) {
	path, content := sparseFile(t)
	memory, err := sealedCopy(path)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	got := make([]byte, len(content))
	if _, err := memory.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Fatal("the copy differs", err)
	}
	if _, err := memory.WriteAt([]byte("x"), 0); err == nil {
		t.Error("it can be written")
	}
	if err := memory.Truncate(1); err == nil {
		t.Error("it can be cut")
	}
	if _, err := syscall.Mmap(int(memory.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err == nil {
		t.Error("it can be mapped shared for writing")
	}
	private, err := syscall.Mmap(int(memory.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal("a private mapping must be possible:", err)
	}
	private[0] = 'x'
	if _, err := memory.ReadAt(got[:1], 0); err != nil || got[0] == 'x' {
		t.Error("a write to a private mapping reached the copy")
	}
	if err := syscall.Munmap(private); err != nil {
		t.Fatal(err)
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(memory.Fd()), &stat); err != nil || stat.Blocks*512 > 1<<20 {
		t.Errorf("zeros take memory: %d blocks, %v", stat.Blocks, err)
	}
}

func TestVmmRefusesToRunAsRoot(t *testing.T) {
	if err := runVmm([]string{"-uid", "0", "--", "true"}); err == nil {
		t.Fatal("it would have run as root")
	}
	if err := runVmm([]string{"-uid", "70001"}); err == nil {
		t.Fatal("it needs a command")
	}
}

// The helper process: it drops its privileges and shows what is left of them.
func TestVmmKeepsOneGroupAndNoRights(t *testing.T) {
	if os.Getenv("HOSTKIT_TEST_VMM") != "" {
		args := []string{"-uid", "70001", "-group", os.Getenv("HOSTKIT_TEST_VMM"), "--", "cat", "/proc/self/status"}
		t.Fatal(runVmm(args))
	}
	for group, want := range map[string]string{"0": "", "104": "104 "} {
		command := exec.Command(os.Args[0], "-test.run=^TestVmmKeepsOneGroupAndNoRights$")
		command.Env = append(os.Environ(), "HOSTKIT_TEST_VMM="+group)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		for _, line := range []string{
			"Uid:\t70001\t70001\t70001\t70001\n",
			"Gid:\t70001\t70001\t70001\t70001\n",
			"Groups:\t" + want,
			"CapBnd:\t0000000000000000\n",
			"NoNewPrivs:\t1\n",
		} {
			if !strings.Contains(string(output), line) {
				t.Errorf("group %s: no %q in\n%s", group, line, output)
			}
		}
	}
}
