package server

import (
	"os/exec"
	"testing"
)

// The cost of a command through envd, beside that of starting it at all.

func BenchmarkTrue(b *testing.B) {
	b.Run("through envd", func(b *testing.B) {
		g := newGuest(b)
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			g.run(command{"process": map[string]any{"cmd": "/bin/true"}})
		}
	})
	b.Run("fork and exec", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
