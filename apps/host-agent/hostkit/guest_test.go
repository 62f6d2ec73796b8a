package main

// A process in QEMU's place: it maps a memory file privately and changes its memory on command. Its own copy of the memory
// is what the tests compare with, not what hostkit reads from it.

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const asGuest = "HOSTKIT_TEST_GUEST"

func TestMain(m *testing.M) {
	if size := os.Getenv(asGuest); size != "" {
		if err := actAsGuest(size); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// actAsGuest maps descriptor 3 and obeys the lines of stdin, each answered with "ok".
func actAsGuest(size string) error {
	var bytesOfMemory int
	if _, err := fmt.Sscan(size, &bytesOfMemory); err != nil {
		return err
	}
	memory, err := syscall.Mmap(3, 0, bytesOfMemory, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	fmt.Println("ok")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); fmt.Println("ok") {
		var verb string
		var from, length, value int
		if _, err := fmt.Sscan(lines.Text(), &verb, &from, &length, &value); err != nil {
			return err
		}
		part := memory[from : from+length]
		switch verb {
		case "fill":
			for i := range part {
				part[i] = byte(value)
			}
		case "touch":
			for i := 0; i < len(part); i += int(pageSize) {
				value += int(part[i])
			}
		case "split": // MADV_DONTFORK makes a mapping of its own, which dirty must join again
			if err := syscall.Madvise(part, 10); err != nil {
				return err
			}
		case "dump":
			if err := os.WriteFile(fmt.Sprintf("/proc/self/fd/%d", value), part, 0); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unknown verb %q", verb)
		}
	}
	return nil
}

type standIn struct {
	t       testing.TB
	pid     int
	size    int
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	dump    string
}

// startStandIn maps memory, which is a file or a memfd.
func startStandIn(t testing.TB, memory *os.File) *standIn {
	t.Helper()
	info, err := memory.Stat()
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "dump")
	dumpFile, err := os.Create(dump)
	if err != nil {
		t.Fatal(err)
	}
	defer dumpFile.Close()
	g := &standIn{t: t, size: int(info.Size()), process: exec.Command("/proc/self/exe"), dump: dump}
	g.process.Env = append(os.Environ(), fmt.Sprintf("%s=%d", asGuest, g.size))
	g.process.ExtraFiles = []*os.File{memory, dumpFile}
	g.process.Stderr = os.Stderr
	if g.in, err = g.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := g.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.out = bufio.NewReader(out)
	if err := g.process.Start(); err != nil {
		t.Fatal(err)
	}
	g.pid = g.process.Process.Pid
	t.Cleanup(func() { g.process.Process.Kill(); g.process.Wait() })
	g.expectOk()
	return g
}

func (g *standIn) expectOk() {
	g.t.Helper()
	if line, err := g.out.ReadString('\n'); line != "ok\n" {
		g.t.Fatalf("the stand-in answered %q, %v", line, err)
	}
}

func (g *standIn) do(verb string, from, length, value int) {
	g.t.Helper()
	fmt.Fprintln(g.in, verb, from, length, value)
	g.expectOk()
}

// memory is what the process itself sees.
func (g *standIn) memory() []byte {
	g.t.Helper()
	g.do("dump", 0, g.size, 4)
	content, err := os.ReadFile(g.dump)
	if err != nil || len(content) != g.size {
		g.t.Fatalf("%d bytes dumped, %v", len(content), err)
	}
	return content
}

// save is hostkit dirty.
func (g *standIn) save() (path string, result saved) {
	g.t.Helper()
	path = filepath.Join(g.t.TempDir(), "delta")
	result, err := saveDirty(g.pid, uint64(g.size), path)
	if err != nil {
		g.t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != result.Bytes {
		g.t.Fatalf("%d bytes, and it says %d: %v", info.Size(), result.Bytes, err)
	}
	return path, result
}

// memoryFile makes a file of pages: each is filled with its value, and those of 0 are holes.
func memoryFile(t testing.TB, values ...byte) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := file.Truncate(int64(len(values)) * int64(pageSize)); err != nil {
		t.Fatal(err)
	}
	for i, value := range values {
		if value == 0 {
			continue
		}
		if _, err := file.WriteAt(bytes.Repeat([]byte{value}, int(pageSize)), int64(i)*int64(pageSize)); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func contentOf(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
