package process

// One reader of a process's output: a queue bounded in bytes.

import (
	"sync"
	"time"
)

const (
	queueBytes = 512 << 10
	// frameOverhead accounts for slice headers, so that many tiny frames count.
	frameOverhead = 48
)

type subscriber struct {
	// stall is how long the process waits for it without any progress; 0 is for ever.
	stall time.Duration
	// ready holds a token while there are frames to take.
	ready chan struct{}
	// gone is closed when the subscriber was dropped or left.
	gone chan struct{}

	mu     sync.Mutex
	frames [][]byte
	bytes  int
	space  chan struct{}
	closed bool
	reason error
}

func newSubscriber(backlog [][]byte, stall time.Duration) *subscriber {
	s := &subscriber{stall: stall, ready: make(chan struct{}, 1), gone: make(chan struct{}), frames: backlog}
	for _, frame := range backlog {
		s.bytes += len(frame) + frameOverhead
	}
	if len(backlog) > 0 {
		s.ready <- struct{}{}
	}
	return s
}

// offer queues frame. If there is no room it returns a channel that is closed
// when there may be.
func (s *subscriber) offer(frame []byte) (full <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes > 0 && s.bytes+len(frame) > queueBytes {
		if s.space == nil {
			s.space = make(chan struct{})
		}
		return s.space
	}
	s.frames = append(s.frames, frame)
	s.bytes += len(frame) + frameOverhead
	select {
	case s.ready <- struct{}{}:
	default:
	}
	return nil
}

// take empties the queue.
func (s *subscriber) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames := s.frames
	s.frames, s.bytes = nil, 0
	if s.space != nil {
		close(s.space)
		s.space = nil
	}
	return frames
}

// close ends the subscription; the first reason stays.
func (s *subscriber) close(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed, s.reason = true, reason
	close(s.gone)
}

func (s *subscriber) dropReason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}
