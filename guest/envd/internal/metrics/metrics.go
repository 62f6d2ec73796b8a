// Package metrics reads how busy the guest is from /proc, with the field names of
// E2B's envd.
package metrics

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Sample is the guest at one moment. CPU use counts since the sample before.
type Sample struct {
	Timestamp  int64   `json:"ts"`
	CPUCount   int     `json:"cpu_count"`
	CPUUsedPct float64 `json:"cpu_used_pct"`
	MemTotal   uint64  `json:"mem_total"`
	MemUsed    uint64  `json:"mem_used"`
	DiskUsed   uint64  `json:"disk_used"`
	DiskTotal  uint64  `json:"disk_total"`
}

// Sampler remembers the CPU counters of its last sample.
type Sampler struct {
	mu          sync.Mutex
	busy, total uint64
}

// NewSampler starts counting CPU use now.
func NewSampler() *Sampler {
	s := &Sampler{}
	_, s.busy, s.total, _ = readCPU()
	return s
}

// Sample reads the guest's use of CPU, memory and the root filesystem.
func (s *Sampler) Sample() (Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count, busy, total, err := readCPU()
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{Timestamp: time.Now().Unix(), CPUCount: count}
	if total > s.total && busy >= s.busy {
		pct := 100 * float64(busy-s.busy) / float64(total-s.total)
		sample.CPUUsedPct = math.Round(pct*100) / 100
	}
	s.busy, s.total = busy, total
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

// readCPU sums the ticks of all CPUs: proc(5), "/proc/stat". Idle and iowait are
// not busy; guest time is within user time already.
func readCPU() (count int, busy, total uint64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		if fields[0] != "cpu" {
			count++
			continue
		}
		for i, field := range fields[1:9] {
			ticks, _ := strconv.ParseUint(field, 10, 64)
			total += ticks
			if i != 3 && i != 4 {
				busy += ticks
			}
		}
	}
	return count, busy, total, nil
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
