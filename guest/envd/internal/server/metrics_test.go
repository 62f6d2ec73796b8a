package server

import (
	"encoding/json"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

func (g *guest) metrics() (m map[string]float64) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.expectStatus(g.do("GET", "/metrics", nil), 200)), &m); err != nil {
		g.t.Fatal(err)
	}
	return m
}

func TestMetricsHaveTheNamesOfE2B(t *testing.T) {
	m := newGuest(t).metrics()
	for _, name := range []string{"ts", "cpu_count", "mem_total", "mem_used", "disk_total", "disk_used"} {
		if m[name] <= 0 {
			t.Errorf("%s is %v", name, m[name])
		}
	}
	if pct, ok := m["cpu_used_pct"]; !ok || pct < 0 || pct > 100 {
		t.Errorf("cpu_used_pct is %v", pct)
	}
	var root syscall.Statfs_t
	if err := syscall.Statfs("/", &root); err != nil || m["disk_total"] != float64(root.Blocks)*float64(root.Bsize) || m["disk_used"] >= m["disk_total"] {
		t.Errorf("disk: %v of %v, %v", m["disk_used"], m["disk_total"], err)
	}
}

// TestCPUUseIsThatOfTheLastSecondForEverybody: two clients ask at different rates
// while every CPU is busy.
func TestCPUUseIsThatOfTheLastSecondForEverybody(t *testing.T) {
	g := newGuest(t)
	cpus := int(g.metrics()["cpu_count"])
	for i := 0; i < cpus; i++ {
		load := exec.Command("sh", "-c", "while :; do :; done")
		if err := load.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { load.Process.Kill(); load.Wait() })
	}
	eventually(t, "the load is seen", func() bool { return g.metrics()["cpu_used_pct"] > 90 })
	var all sync.WaitGroup
	for _, interval := range []time.Duration{0, 300 * time.Millisecond, 1100 * time.Millisecond} {
		all.Add(1)
		go func(interval time.Duration) {
			defer all.Done()
			for until := time.Now().Add(3 * time.Second); time.Now().Before(until); time.Sleep(interval) {
				if pct := g.metrics()["cpu_used_pct"]; pct < 75 || pct > 100 {
					t.Errorf("asked every %s: %v%% although every CPU is busy", interval, pct)
				}
			}
		}(interval)
	}
	all.Wait()
}

func TestTheFirstCallOfMetricsTakesAMomentAndLaterOnesNone(t *testing.T) {
	g := newGuest(t)
	begun := time.Now()
	g.metrics()
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Fatalf("%s is too short to count anything", took)
	}
	begun = time.Now()
	for i := 0; i < 20; i++ {
		g.metrics()
	}
	if took := time.Since(begun) / 20; took > 150*time.Millisecond {
		t.Fatalf("%s each", took)
	}
}
