package identity

import (
	"bytes"
	"testing"
)

func TestPoolInfoHasTheKernelsLayout(t *testing.T) {
	seed := bytes.Repeat([]byte{9}, 32)
	want := append([]byte{0, 1, 0, 0, 32, 0, 0, 0}, seed...)
	if got := poolInfo(seed); !bytes.Equal(got, want) {
		t.Fatalf("%v", got)
	}
}

func TestTheOwnLineOfHosts(t *testing.T) {
	for old, want := range map[string]string{
		"":                                   "127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\tsb\n",
		"127.0.0.1 localhost":                "127.0.0.1 localhost\n127.0.1.1\tsb\n",
		"127.0.1.1 a\n# x\n\n127.0.1.1\tb\n": "127.0.1.1\tsb\n# x\n\n",
	} {
		if got := withOwnLine(old, "sb"); got != want {
			t.Errorf("%q: %q", old, got)
		}
	}
}
