package main

// dirty and fold together: whatever a process does to its memory, the folded file has it. Swapped pages are not tried:
// that would take a machine with swap and too little memory.

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirtyAndFoldGiveTheMemoryOfTheProcess(t *testing.T) {
	for seed := int64(1); seed <= 40; seed++ {
		random := rand.New(rand.NewSource(seed))
		values := make([]byte, 1+random.Intn(600))
		for i := range values {
			values[i] = byte(random.Intn(3)) // 0 is a hole
		}
		file := memoryFile(t, values...)
		// Several pauses and resumes: each is saved as the difference to the file as folded so far.
		for cycle := 0; cycle < 3; cycle++ {
			g := startStandIn(t, file)
			for i := random.Intn(30); i > 0; i-- {
				verb := []string{"fill", "fill", "fill", "touch", "split"}[random.Intn(5)]
				from := random.Intn(len(values))
				length := 1 + random.Intn(len(values)-from)
				if random.Intn(2) == 0 {
					length = 1
				}
				g.do(verb, from*int(pageSize), length*int(pageSize), random.Intn(3))
			}
			delta, _ := g.save()
			want := g.memory()
			g.process.Process.Kill()
			for i := 0; i < 1+random.Intn(2); i++ { // a fold may be done again
				if err := foldDelta(delta, file.Name()); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(contentOf(t, file.Name()), want) {
				t.Fatalf("seed %d, cycle %d: the folded file is not the memory of the process", seed, cycle)
			}
		}
	}
}

func TestOnlyWhatWasWrittenIsDirty(t *testing.T) {
	page := int(pageSize)
	g := startStandIn(t, memoryFile(t, 1, 2, 0, 3, 4, 5, 6, 7))
	if delta, result := g.save(); result.Pages != 0 || len(contentOf(t, delta)) != headerBytes {
		t.Fatalf("before any access: %+v", result)
	}
	g.do("touch", 0, 8*page, 0)
	if _, result := g.save(); result.Pages != 0 {
		t.Fatalf("after reading: %+v", result)
	}
	g.do("fill", page, 2*page, 9)
	g.do("fill", 5*page+17, 1, 9)
	_, result := g.save()
	if want := int64(headerBytes + 3*page + 2*runBytes); result.Pages != 3 || result.Bytes != want {
		t.Fatalf("%+v, want 3 pages and %d bytes", result, want)
	}
}

func TestAPageThatBecameZeroReplacesItsOldContent(t *testing.T) {
	page := int(pageSize)
	file := memoryFile(t, 1, 1, 1, 1)
	g := startStandIn(t, file)
	g.do("fill", page, 2*page, 0)
	delta, result := g.save()
	if result.Pages != 2 || result.Bytes != headerBytes+runBytes {
		t.Fatalf("zeros are dirty and take no space: %+v", result)
	}
	if err := foldDelta(delta, file.Name()); err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Repeat([]byte{1}, page), make([]byte, 2*page)...)
	want = append(want, bytes.Repeat([]byte{1}, page)...)
	if !bytes.Equal(contentOf(t, file.Name()), want) {
		t.Fatal("the old content is back")
	}
	all, err := extents(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Errorf("the zeros take space in the file: %v", all)
	}
}

func TestWhatWasWrittenBackToItsOldValueIsStillRight(t *testing.T) {
	file := memoryFile(t, 1, 2)
	g := startStandIn(t, file)
	g.do("fill", 0, int(pageSize), 9)
	g.do("fill", 0, int(pageSize), 1)
	delta, _ := g.save()
	if err := foldDelta(delta, file.Name()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contentOf(t, file.Name()), g.memory()) {
		t.Fatal("it differs")
	}
}

func TestMemoryThatIsASealedMemfd(t *testing.T) {
	file := memoryFile(t, 1, 0, 3, 0)
	sealed, err := sealedCopy(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.Close()
	g := startStandIn(t, sealed)
	g.do("touch", 0, g.size, 0)
	g.do("fill", int(pageSize), int(pageSize), 7)
	g.do("fill", 2*int(pageSize), int(pageSize), 0)
	delta, result := g.save()
	if result.Pages != 2 {
		t.Fatalf("%+v", result)
	}
	if err := foldDelta(delta, file.Name()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contentOf(t, file.Name()), g.memory()) {
		t.Fatal("it differs")
	}
}

func TestDirtyRefusesWhatItCannotTell(t *testing.T) {
	g := startStandIn(t, memoryFile(t, 1, 2, 3))
	path := filepath.Join(t.TempDir(), "delta")
	for _, size := range []int{2, 4} {
		if _, err := saveDirty(g.pid, uint64(size)*pageSize, path); err == nil || !strings.Contains(err.Error(), "0 private writable mappings") {
			t.Errorf("a mapping of %d pages was found: %v", size, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a failure leaves a file")
	}
	if err := os.WriteFile(path, []byte("a delta that nobody has folded"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := saveDirty(g.pid, uint64(g.size), path); !os.IsExist(err) {
		t.Errorf("a file in the place of the delta: %v", err)
	}
	if content := contentOf(t, path); string(content) != "a delta that nobody has folded" {
		t.Errorf("it was changed: %q", content)
	}
}

func TestDirtyOfAProcessThatEndsFails(t *testing.T) {
	g := startStandIn(t, memoryFile(t, 1, 2, 3))
	g.do("fill", 0, g.size, 8)
	start, err := findGuestMemory(g.pid, uint64(g.size))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", g.pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	g.process.Process.Kill()
	g.process.Wait()
	if _, err := dirtySpans(g.pid, start, uint64(g.size)); err == nil {
		t.Error("its page map was read")
	}
	file := memoryFile(t)
	w := newDeltaWriter(file)
	defer w.abandon()
	if err := w.copy(memory, start, span{0, pageSize}); err == nil {
		t.Error("its memory was read")
	}
}

func TestGuestMemoryIsFoundAmongOtherMappings(t *testing.T) {
	const size = 0x40000000
	good := "7f0000000000-7f0010000000 rw-p 00000000 00:01 99 /memfd:wrenn-golden (deleted)\n" +
		"7f0010000000-7f0040000000 rw-p 10000000 00:01 99 /memfd:wrenn-golden (deleted)\n"
	others := "560000000000-560040000000 rw-p 00000000 00:00 0 [heap]\n" +
		"570000000000-570040000000 r--p 00000000 08:01 5 /usr/bin/qemu\n" +
		"580000000000-580040000000 rw-s 00000000 00:01 7 /dev/shm/other\n" +
		"590000000000-590040000000 rw-p 00001000 08:01 8 /a part of something\n"
	start, err := guestMemoryIn(strings.NewReader(others+good), size)
	if err != nil || start != 0x7f0000000000 {
		t.Fatalf("%x %v", start, err)
	}
	for name, maps := range map[string]string{
		"two":         good + "600000000000-600040000000 rw-p 00000000 08:01 6 /x\n",
		"a gap":       strings.Replace(good, "7f0010000000-7f0040000000", "7f0010001000-7f0040001000", 1),
		"a file more": strings.Replace(good, "10000000 00:01 99", "10000000 00:01 98", 1),
		"none":        others,
		"nonsense":    "what is this\n",
	} {
		if _, err := guestMemoryIn(strings.NewReader(maps), size); err == nil {
			t.Errorf("%s: something was found", name)
		}
	}
}
