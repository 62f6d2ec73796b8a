package process

// envd must outlive its commands when memory runs out, and its commands must not
// inherit that. A child has its parent's oom_score_adj from the moment it is
// forked, so the parent gives its own up for the length of a fork: setting the
// child's afterwards would miss what it forks in the meantime.

import (
	"fmt"
	"os"
	"sync"
)

// neverKill is the score that the kernel's OOM killer spares: proc(5).
const neverKill = "-1000"

// OOMGuard protects this process. A nil guard protects nothing.
type OOMGuard struct {
	mu    sync.Mutex
	file  *os.File
	score string
}

// ProtectFromOOM makes the kernel spare this process.
func ProtectFromOOM() (*OOMGuard, error) { return guardWith(neverKill) }

func guardWith(score string) (*OOMGuard, error) {
	file, err := os.OpenFile("/proc/self/oom_score_adj", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := file.WriteAt([]byte(score), 0); err != nil {
		file.Close()
		return nil, fmt.Errorf("setting oom_score_adj: %w", err)
	}
	return &OOMGuard{file: file, score: score}, nil
}

// unprotected runs fork with the default score.
func (g *OOMGuard) unprotected(fork func() error) error {
	if g == nil {
		return fork()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.file.WriteAt([]byte("0"), 0); err != nil {
		return err
	}
	defer g.file.WriteAt([]byte(g.score), 0)
	return fork()
}
