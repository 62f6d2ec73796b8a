package process

import (
	"testing"
	"time"

	"wrenn.dev/envd/internal/connect"
)

func exited(pid int, at time.Time, backlog int) *Process {
	p := &Process{PID: pid, endedAt: at, hub: &hub{}}
	if backlog > 0 {
		p.hub.publish(stdoutFrame, make([]byte, backlog*3/4))
	}
	return p
}

func TestTheUnreadOutputOfAllExitsTogetherIsBounded(t *testing.T) {
	e, now := newExits(time.Minute), time.Now()
	const each = 200 << 10
	for pid := 1; pid <= 100; pid++ {
		e.add(exited(pid, now, each))
	}
	total := 0
	for _, x := range e.oldestFirst {
		total += x.process.hub.held()
	}
	if total > keptBacklogBytes || total < keptBacklogBytes-2*each {
		t.Fatalf("%d bytes are held", total)
	}
	if e.byPID[100].hub.held() == 0 || e.byPID[1].hub.held() != 0 {
		t.Fatal("the oldest should go first")
	}
	e.byPID[100].hub.subscribe(time.Second)
	e.expire(now.Add(2 * time.Minute))
	if e.held != 0 || len(e.byPID) != 0 || len(e.oldestFirst) != 0 {
		t.Fatalf("%+v", e)
	}
}

func TestAReusedPIDNamesTheNewProcess(t *testing.T) {
	e, now := newExits(time.Minute), time.Now()
	first, second := exited(7, now, 0), exited(7, now.Add(30*time.Second), 0)
	pid := connect.Uint32(7)
	e.add(first)
	e.forgetPID(7)
	if e.find(selector{PID: &pid}, now) != nil {
		t.Fatal("the exit of the earlier process is still known")
	}
	e.add(second)
	if e.find(selector{PID: &pid}, now.Add(70*time.Second)) != second {
		t.Fatal("the later exit went with the earlier one")
	}
}
