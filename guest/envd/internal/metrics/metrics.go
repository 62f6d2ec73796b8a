// Package metrics reads how busy the guest is from /proc, with the field names of
// E2B's envd.
package metrics

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Sample is the guest at one moment; cpu.go has the CPUs' last second.
type Sample struct {
	Timestamp  int64   `json:"ts"`
	CPUCount   int     `json:"cpu_count"`
	CPUUsedPct float64 `json:"cpu_used_pct"`
	MemTotal   uint64  `json:"mem_total"`
	MemUsed    uint64  `json:"mem_used"`
	DiskUsed   uint64  `json:"disk_used"`
	DiskTotal  uint64  `json:"disk_total"`
}

// Sampler is for any number of callers at once.
type Sampler struct{ cpu cpuSampler }

// Sample reads the guest's use of CPU, memory and the root filesystem. It may take
// a quarter of a second.
func (s *Sampler) Sample(ctx context.Context) (Sample, error) {
	cpus, pct, err := s.cpu.used(ctx)
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{Timestamp: time.Now().Unix(), CPUCount: cpus, CPUUsedPct: pct}
	memory, err := readMemory()
	if err != nil {
		return Sample{}, err
	}
	sample.MemTotal = memory["MemTotal"]
	sample.MemUsed = memory["MemTotal"] - memory["MemAvailable"]
	var disk syscall.Statfs_t
	if err := syscall.Statfs("/", &disk); err != nil {
		return Sample{}, fmt.Errorf("statfs: %w", err)
	}
	sample.DiskTotal = disk.Blocks * uint64(disk.Bsize)
	sample.DiskUsed = (disk.Blocks - disk.Bfree) * uint64(disk.Bsize)
	return sample, nil
}

// readMemory returns /proc/meminfo in bytes.
func readMemory() (map[string]uint64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	memory := map[string]uint64{}
	for _, line := range strings.Split(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err == nil {
			memory[name] = kib << 10
		}
	}
	return memory, nil
}
