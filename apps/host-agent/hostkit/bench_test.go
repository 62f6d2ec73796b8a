package main

// How long a pause waits for its delta: go test -bench . -run none. Beside each, what the disk takes for as many bytes.

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

const mebibyte = 1 << 20

// benchmarkGuest has 512 MiB, of which it has read 64, and dirty pages.
func benchmarkGuest(b *testing.B, dirtyPages, apart int) *standIn {
	file := memoryFile(b)
	if err := file.Truncate(512 * mebibyte); err != nil {
		b.Fatal(err)
	}
	g := startStandIn(b, file)
	g.do("touch", 0, 64*mebibyte, 0)
	for i := 0; i < dirtyPages; i++ {
		g.do("fill", i*apart*int(pageSize), int(pageSize), 1+i%255)
	}
	return g
}

func BenchmarkDirtyOfAnIdleGuest(b *testing.B) {
	benchmarkDirty(b, benchmarkGuest(b, 300, 300), 300*int(pageSize))
}

func BenchmarkDirtyOf256MiB(b *testing.B) {
	g := benchmarkGuest(b, 0, 0)
	g.do("fill", 100*mebibyte, 256*mebibyte, 7)
	benchmarkDirty(b, g, 256*mebibyte)
}

func benchmarkDirty(b *testing.B, g *standIn, size int) {
	hostkit := filepath.Join(b.TempDir(), "hostkit")
	if out, err := exec.Command("go", "build", "-o", hostkit, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	path := filepath.Join(b.TempDir(), "delta")
	b.Run("in-process", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			if _, err := saveDirty(g.pid, uint64(g.size), path); err != nil {
				b.Fatal(err)
			}
			os.Remove(path)
		}
	})
	b.Run("command", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			args := []string{"dirty", "-pid", strconv.Itoa(g.pid), "-size", strconv.Itoa(g.size), "-out", path}
			if out, err := exec.Command(hostkit, args...).CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			os.Remove(path)
		}
	})
	b.Run("disk", func(b *testing.B) {
		content := make([]byte, size)
		for i := 0; i < b.N; i++ {
			file, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := file.Write(content); err != nil {
				b.Fatal(err)
			}
			if err := file.Sync(); err != nil {
				b.Fatal(err)
			}
			file.Close()
			os.Remove(path)
		}
	})
}
