package main

// What a fold refuses, and that it has changed nothing then.

import (
	"bytes"
	"errors"
	"math/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// someDelta returns a delta with data and zeros in it, and a memory file that it fits.
func someDelta(t *testing.T) (delta, memory string) {
	t.Helper()
	file := memoryFile(t, 1, 2, 3, 4, 5, 6)
	g := startStandIn(t, file)
	g.do("fill", 0, int(pageSize), 0)
	g.do("fill", 2*int(pageSize), 2*int(pageSize), 9)
	g.do("fill", 5*int(pageSize), int(pageSize), 8)
	delta, _ = g.save()
	return delta, file.Name()
}

func TestATornOrDamagedDeltaIsRefusedBeforeAnythingIsChanged(t *testing.T) {
	delta, memory := someDelta(t)
	good, before := contentOf(t, delta), contentOf(t, memory)
	broken := filepath.Join(t.TempDir(), "broken")
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(broken, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := foldDelta(broken, memory); !errors.Is(err, errDelta) {
			t.Errorf("%s: %v", what, err)
		}
		if !bytes.Equal(contentOf(t, memory), before) {
			t.Fatalf("%s: the memory file was changed", what)
		}
	}
	for _, length := range []int{0, 1, 8, headerBytes - 1, headerBytes, headerBytes + 1, len(good) / 2, len(good) - runBytes, len(good) - 1} {
		try("cut", good[:length])
		// What a crash may leave: the length is there, the content is not.
		if torn := append(append([]byte{}, good[:length]...), make([]byte, len(good)-length)...); !bytes.Equal(torn, good) {
			try("zeros at the end", torn)
		}
	}
	try("longer", append(append([]byte{}, good...), 0))
	random := rand.New(rand.NewSource(1))
	for i := 0; i < 300; i++ {
		at := random.Intn(len(good))
		if i < headerBytes {
			at = i
		}
		bad := append([]byte{}, good...)
		bad[at] ^= 1 << random.Intn(8)
		try("a flipped bit", bad)
	}
	if err := foldDelta(delta, memory); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(contentOf(t, memory), before) {
		t.Fatal("the good one changes nothing")
	}
}

func TestADeltaOfAnotherSizeIsRefused(t *testing.T) {
	delta, _ := someDelta(t)
	other := memoryFile(t, 1, 2, 3, 4, 5).Name()
	before := contentOf(t, other)
	if err := foldDelta(delta, other); err == nil {
		t.Fatal("it was folded")
	}
	if !bytes.Equal(contentOf(t, other), before) {
		t.Fatal("the memory file was changed")
	}
}

func TestATableOutsideOfTheMemoryIsRefused(t *testing.T) {
	header := deltaHeader{memoryBytes: 10 * deltaUnit, dataBytes: deltaUnit}
	for name, runs := range map[string][]run{
		"beyond the end":   {{span{10 * deltaUnit, deltaUnit}, false}},
		"over the end":     {{span{9 * deltaUnit, 2 * deltaUnit}, true}, {span{0, deltaUnit}, false}},
		"an overflow":      {{span{deltaUnit, 1<<64 - deltaUnit}, false}},
		"twice":            {{span{0, deltaUnit}, false}, {span{0, deltaUnit}, true}},
		"backwards":        {{span{deltaUnit, deltaUnit}, false}, {span{0, deltaUnit}, true}},
		"empty":            {{span{0, 0}, true}, {span{0, deltaUnit}, false}},
		"not all the data": {{span{0, deltaUnit}, true}},
	} {
		if _, err := decodeRuns(encodeRuns(runs), header); !errors.Is(err, errDelta) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := decodeRuns(encodeRuns([]run{{span{9 * deltaUnit, deltaUnit}, false}}), header); err != nil {
		t.Error("a right one:", err)
	}
}

func TestFoldTouchesNoFileThatIsNotTheMemoryItself(t *testing.T) {
	delta, memory := someDelta(t)
	before := contentOf(t, memory)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(memory, link); err != nil {
		t.Fatal(err)
	}
	if err := foldDelta(delta, link); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link: %v", err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := foldDelta(fifo, memory); err == nil {
		t.Error("a fifo was read")
	}
	if !bytes.Equal(contentOf(t, memory), before) {
		t.Fatal("the memory file was changed")
	}
}
