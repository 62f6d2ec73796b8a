package process

// The ends of processes, remembered for a while and within bounds. The manager's
// lock guards it.

import "time"

const (
	// keptExits is the kernel's default pid_max: ids repeat after that.
	keptExits = 32768
	// keptBacklogBytes bounds the unread output of all ended processes together.
	keptBacklogBytes = 4 << 20
)

type exit struct {
	process *Process
	// held is what its backlog had when it ended; a subscriber may have taken it since.
	held int
}

type exits struct {
	kept        time.Duration
	oldestFirst []exit
	byPID       map[int]*Process
	held        int
}

func newExits(kept time.Duration) exits {
	return exits{kept: kept, byPID: map[int]*Process{}}
}

func (e *exits) add(p *Process) {
	e.expire(p.endedAt)
	added := exit{process: p, held: p.hub.held()}
	e.oldestFirst = append(e.oldestFirst, added)
	e.byPID[p.PID] = p
	e.held += added.held
	for i := 0; e.held > keptBacklogBytes; i++ {
		e.release(&e.oldestFirst[i])
	}
}

func (e *exits) find(selector selector, now time.Time) *Process {
	e.expire(now)
	if selector.PID != nil {
		return e.byPID[int(*selector.PID)]
	}
	for i := len(e.oldestFirst) - 1; i >= 0; i-- {
		if p := e.oldestFirst[i].process; selector.matches(p) && e.byPID[p.PID] == p {
			return p
		}
	}
	return nil
}

// forgetPID is called when the kernel gave pid to a new process.
func (e *exits) forgetPID(pid int) { delete(e.byPID, pid) }

func (e *exits) expire(now time.Time) {
	for len(e.oldestFirst) > 0 {
		oldest := &e.oldestFirst[0]
		p := oldest.process
		if len(e.oldestFirst) < keptExits && now.Sub(p.endedAt) <= e.kept {
			return
		}
		e.release(oldest)
		if e.byPID[p.PID] == p {
			delete(e.byPID, p.PID)
		}
		oldest.process = nil
		e.oldestFirst = e.oldestFirst[1:]
	}
}

func (e *exits) release(x *exit) {
	if x.held > 0 {
		x.process.hub.forget()
		e.held -= x.held
		x.held = 0
	}
}
