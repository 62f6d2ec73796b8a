package process

// The last output of a terminal, for whoever attaches to it. A full-screen program
// draws only what changes, so what was read already is given again.

import (
	"bytes"
	"unicode/utf8"
)

const (
	ringBytes = 128 << 10
	// ringStep is how much more than that is gathered before the oldest is dropped.
	ringStep = ringBytes / 2
	// entryBytes is how far the beginning of a replay may be moved to a good place.
	entryBytes = 1 << 10
)

type ring struct {
	data []byte
	// cut: something was dropped before data.
	cut bool
}

func (r *ring) add(data []byte) {
	r.data = append(r.data, data...)
	if excess := len(r.data) - ringBytes; excess > ringStep {
		r.data = append(make([]byte, 0, ringBytes+2*ringStep), r.data[excess:]...)
		r.cut = true
	}
}

// frames returns the last ringBytes, or less: if earlier output is missing it
// begins with a line or an escape sequence, if one is near, and never in the
// middle of a character.
func (r *ring) frames() (frames [][]byte) {
	data, cut := r.data, r.cut
	if excess := len(data) - ringBytes; excess > 0 {
		data, cut = data[excess:], true
	}
	if cut {
		data = data[entry(data):]
	}
	for len(data) > 0 {
		n := smaller(len(data), chunkBytes)
		frames = append(frames, dataFrame(ptyFrame, data[:n]))
		data = data[n:]
	}
	return frames
}

func entry(data []byte) int {
	near := data[:smaller(len(data), entryBytes)]
	if at := bytes.IndexAny(near, "\n\x1b"); at >= 0 {
		if near[at] == '\n' {
			at++
		}
		return at
	}
	for at := 0; at < utf8.UTFMax && at < len(data); at++ {
		if utf8.RuneStart(data[at]) {
			return at
		}
	}
	return 0
}
