package process

// The hub spreads one process's output over its subscribers.
//
// The subscriber that has been there longest leads: a full queue of the leader
// makes the pumps wait, and so the process, but never longer than its stall
// without any progress; then the leader is dropped. Only a starter that asked for
// it is waited for as long as its connection lives. The others are dropped when
// their queue overflows. While nobody listens the last backlogBytes are kept for the
// next subscriber, and the process runs on. A terminal's last output is kept always,
// and every subscriber gets it first.

import (
	"sync"
	"time"

	"wrenn.dev/envd/internal/fault"
)

const backlogBytes = 256 << 10

type hub struct {
	mu           sync.Mutex
	subscribers  []*subscriber
	backlog      [][]byte
	backlogBytes int
	// replay is in the place of a backlog where it is not nil.
	replay *ring
}

// subscribe adds a reader, who may take nothing for stall; 0 is for ever. One who
// finds nobody else gets the backlog first.
func (h *hub) subscribe(stall time.Duration) *subscriber {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.backlog
	if h.replay != nil {
		before = h.replay.frames()
	}
	s := newSubscriber(before, stall)
	h.backlog, h.backlogBytes = nil, 0
	h.subscribers = append(h.subscribers, s)
	return s
}

// leave removes s. What the last one to leave did not take waits for the next. It
// may be called twice.
func (h *hub) leave(s *subscriber, reason error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, other := range h.subscribers {
		if other == s {
			h.subscribers = append(h.subscribers[:i:i], h.subscribers[i+1:]...)
			break
		}
	}
	s.close(reason)
	if reason == nil && len(h.subscribers) == 0 {
		for _, frame := range s.take() {
			h.keep(frame)
		}
	}
}

// publish hands data to every subscriber, waiting for the leader if it must.
func (h *hub) publish(kind outputKind, data []byte) {
	frame := dataFrame(kind, data)
	leader, full := h.offer(frame, data)
	if full == nil {
		return
	}
	var over <-chan time.Time
	var timer *time.Timer
	if leader.stall > 0 {
		timer = time.NewTimer(leader.stall)
		defer timer.Stop()
		over = timer.C
	}
	for full != nil {
		select {
		case <-full:
			full = leader.offer(frame)
			if timer != nil {
				restart(timer, leader.stall)
			}
		case <-leader.gone:
			h.keepIfAlone(frame)
			return
		case <-over:
			h.leave(leader, tooSlow("nothing was read for "+leader.stall.String()))
			h.keepIfAlone(frame)
			return
		}
	}
}

func (h *hub) offer(frame, data []byte) (leader *subscriber, full <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.replay != nil {
		h.replay.add(data)
	}
	if len(h.subscribers) == 0 {
		h.keep(frame)
		return nil, nil
	}
	staying := h.subscribers[:1:1]
	for _, s := range h.subscribers[1:] {
		if s.offer(frame) == nil {
			staying = append(staying, s)
		} else {
			s.close(tooSlow("it fell behind the subscriber before it"))
		}
	}
	h.subscribers = staying
	return staying[0], staying[0].offer(frame)
}

func (h *hub) keepIfAlone(frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subscribers) == 0 {
		h.keep(frame)
	}
}

func (h *hub) keep(frame []byte) {
	if h.replay != nil {
		return
	}
	h.backlog = append(h.backlog, frame)
	h.backlogBytes += len(frame) + frameOverhead
	drop := 0
	for h.backlogBytes > backlogBytes {
		h.backlogBytes -= len(h.backlog[drop]) + frameOverhead
		h.backlog[drop] = nil
		drop++
	}
	h.backlog = h.backlog[drop:]
}

// forget frees what is kept for the next subscriber.
func (h *hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.backlog, h.backlogBytes = nil, 0
	if h.replay != nil {
		h.replay = &ring{}
	}
}

func (h *hub) held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.replay != nil {
		return cap(h.replay.data)
	}
	return h.backlogBytes
}

func restart(timer *time.Timer, d time.Duration) {
	if !timer.Stop() {
		select {
		case <-timer.C:
		default:
		}
	}
	timer.Reset(d)
}

func tooSlow(why string) error {
	return fault.New(fault.ResourceExhausted, "this subscriber was too slow: %s", why)
}
