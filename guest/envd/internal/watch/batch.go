package watch

// The events of one answer: repetitions left out, and bounded.

const (
	// fullAt ends the reading from the kernel.
	fullAt = 4096
	// mostEvents is reached by a big tree that is moved in: it is not told one by one.
	mostEvents = 4 * fullAt
)

type batch struct {
	events     []Event
	last       map[string]Kind
	overflowed bool
	// listed are the names that were told because they were found in a new folder. The
	// kernel's note of them may come yet, until its queue was empty once.
	listed map[string]bool
}

func (b *batch) full() bool { return b.overflowed || len(b.events) >= fullAt }

// add tells a change; of a file that is written all the time it tells one.
func (b *batch) add(name string, kind Kind) {
	if kind == Remove || kind == Rename {
		delete(b.listed, name)
	}
	if b.overflowed || b.last[name] == kind {
		return
	}
	if len(b.events) >= mostEvents {
		b.overflow()
		return
	}
	if b.last == nil {
		b.last = map[string]Kind{}
	}
	b.last[name] = kind
	b.events = append(b.events, Event{name, kind})
}

// create is add for a note of the kernel; made says that name is new, and replaces
// nothing.
func (b *batch) create(name string, made bool) {
	told := b.listed[name]
	delete(b.listed, name)
	if !told || !made {
		b.add(name, Create)
	}
}

// found is add for a name in a new folder.
func (b *batch) found(name string) {
	b.add(name, Create)
	if b.overflowed {
		return
	}
	if b.listed == nil {
		b.listed = map[string]bool{}
	}
	b.listed[name] = true
}

// overflow takes the place of all other events.
func (b *batch) overflow() {
	b.overflowed, b.events, b.last, b.listed = true, nil, nil, nil
}

// drained: the kernel's queue is empty.
func (b *batch) drained() { b.listed = nil }

func (b *batch) take() []Event {
	events := b.events
	if b.overflowed {
		events = []Event{{Type: Overflow}}
	}
	b.overflowed, b.events, b.last = false, nil, nil
	return events
}
