package metrics

// CPU use over about the last second, whoever asks and how often. Readings of the
// counters are kept for a moment, and the one nearest to a second old is compared
// with. Nothing runs in between: a guest that nobody asks stays idle.

import (
	"context"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	window = time.Second
	// youngest is enough for the counters, which have a resolution of 10 ms.
	youngest = 250 * time.Millisecond
	oldest   = 2*window + window/2
	// apart is the least time between two readings that are kept: there are few.
	apart = 50 * time.Millisecond
)

// reading is the counters at one moment, in ticks of all CPUs together.
type reading struct {
	at          time.Time
	cpus        int
	busy, total uint64
}

type cpuSampler struct {
	mu   sync.Mutex
	kept []reading
}

// used returns how many CPUs there are and how busy they were, 0 to 100. Where
// nobody has asked lately it waits for the youngest age of a reading.
func (s *cpuSampler) used(ctx context.Context) (cpus int, pct float64, err error) {
	for {
		now, former, err := s.read()
		if err != nil {
			return 0, 0, err
		}
		if former != nil {
			return now.cpus, now.since(*former), nil
		}
		select {
		case <-time.After(youngest):
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
}

// read takes a reading and finds the one to compare it with, if there is one.
func (s *cpuSampler) read() (now reading, former *reading, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, err = readCPU(); err != nil {
		return now, nil, err
	}
	for len(s.kept) > 0 && now.at.Sub(s.kept[0].at) > oldest {
		s.kept = s.kept[1:]
	}
	for i := range s.kept {
		age := now.at.Sub(s.kept[i].at)
		if age >= youngest && (former == nil || distance(age) < distance(now.at.Sub(former.at))) {
			found := s.kept[i]
			former = &found
		}
	}
	if len(s.kept) == 0 || now.at.Sub(s.kept[len(s.kept)-1].at) >= apart {
		s.kept = append(s.kept, now)
	}
	return now, former, nil
}

func distance(age time.Duration) time.Duration {
	if age < window {
		return window - age
	}
	return age - window
}

// since is the share of busy ticks in percent. The kernel may count backwards by a
// tick (proc(5), iowait), so it is kept within bounds.
func (now reading) since(former reading) float64 {
	if now.total <= former.total || now.busy <= former.busy {
		return 0
	}
	pct := 100 * float64(now.busy-former.busy) / float64(now.total-former.total)
	return math.Min(100, math.Round(pct*100)/100)
}

// readCPU sums the ticks of all CPUs: proc(5), "/proc/stat". Idle and iowait are
// not busy; guest time is within user time already.
func readCPU() (now reading, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return now, err
	}
	now.at = time.Now()
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		if fields[0] != "cpu" {
			now.cpus++
			continue
		}
		for i, field := range fields[1:9] {
			ticks, err := strconv.ParseUint(field, 10, 64)
			if err != nil {
				return now, err
			}
			now.total += ticks
			if i != 3 && i != 4 {
				now.busy += ticks
			}
		}
	}
	return now, nil
}
