package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The guard is tried with a score above the default: to go below it takes a
// capability that the machine of the tests may not have.
func TestAChildDoesNotInheritTheOOMScore(t *testing.T) {
	guard, err := guardWith("300")
	if err != nil {
		t.Fatal(err)
	}
	defer guard.file.WriteAt([]byte("0"), 0)
	var out []byte
	err = guard.unprotected(func() (err error) {
		out, err = exec.Command("cat", "/proc/self/oom_score_adj").Output()
		return err
	})
	if err != nil || strings.TrimSpace(string(out)) != "0" {
		t.Fatalf("child: %q, %v", out, err)
	}
	if own, _ := os.ReadFile("/proc/self/oom_score_adj"); strings.TrimSpace(string(own)) != "300" {
		t.Fatalf("own: %q", own)
	}
}
